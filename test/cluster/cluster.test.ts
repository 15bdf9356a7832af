import { afterAll, beforeAll, describe } from "bun:test";
import { describeAddon } from "./cases/addon.ts";
import { describeNodes } from "./cases/nodes.ts";
import { describePods } from "./cases/pods.ts";
import { describePolicies } from "./cases/policies.ts";
import { describeRights } from "./cases/rights.ts";
import { describeUpgrade } from "./cases/upgrade.ts";
import { ClusterLab } from "./cluster-lab.ts";
import { connected, installAddon, rolledOut } from "./weave-addon.ts";

/** One cluster for all: a minute goes by before it has a network. What changes it most comes last. */
describe("a cluster of two nodes with our DaemonSet", () => {
  let lab: ClusterLab;
  beforeAll(async () => {
    lab = await ClusterLab.start("kcl");
    await installAddon(lab);
    await lab.ready();
    await rolledOut(lab);
    await connected(lab, lab.nodes[0]!, 1);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  describeAddon(() => lab);
  describePods(() => lab);
  describePolicies(() => lab);
  describeUpgrade(() => lab);
  describeNodes(() => lab);
  describeRights(() => lab);
});
