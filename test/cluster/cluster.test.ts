import { afterAll, beforeAll, describe } from "bun:test";
import { describeAddon } from "./cases/addon.ts";
import { describeNodes } from "./cases/nodes.ts";
import { describePods } from "./cases/pods.ts";
import { describePolicies } from "./cases/policies.ts";
import { describeRights } from "./cases/rights.ts";
import { describeStrangers } from "./cases/strangers.ts";
import { describeUpgrade } from "./cases/upgrade.ts";
import { ClusterLab } from "./cluster-lab.ts";
import { serveNames } from "./cluster-names.ts";
import { ForeignFilters } from "./foreign-filters.ts";
import { installAddon, rolledOut } from "./weave-addon.ts";

/** One cluster for all: a minute goes by before it has a network. What changes it most comes last. */
describe("a cluster of three nodes with our DaemonSet", () => {
  let lab: ClusterLab;
  let filters: ForeignFilters;
  beforeAll(async () => {
    lab = await ClusterLab.start("kcl", { nodes: 3 });
    filters = await ForeignFilters.plant(lab);
    await installAddon(lab);
    await lab.ready();
    await rolledOut(lab);
    await serveNames(lab, lab.nodes[0]!);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  describeAddon(() => lab);
  describePods(() => lab);
  describePolicies(() => lab);
  describeUpgrade(() => lab);
  describeStrangers(() => filters);
  describeNodes(() => lab);
  describeRights(() => lab);
});
