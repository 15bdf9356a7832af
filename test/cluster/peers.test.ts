import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { ClusterLab } from "./cluster-lab.ts";
import { accountOf, admin } from "./credentials.ts";
import type { PeersAccess, PeersAnswer } from "./peers-script.ts";
import { addon, manifestText } from "./weave-addon.ts";

let answer: PeersAnswer;
let condition: string;

beforeAll(async () => {
  const account = accountOf(addon.namespace, addon.name);
  await using lab = await ClusterLab.start("kpeer", { nodes: 0, users: [account] });
  await lab.plane.apply(manifestText());
  const { url, authority } = lab.plane.server;
  const access: PeersAccess = {
    ...{ admin: { url, authority, token: admin.token }, account: account.token },
  };
  const script = [process.execPath, join(import.meta.dir, "peers-script.ts")];
  const stdin = JSON.stringify(access);
  answer = JSON.parse(await lab.plane.mustExec(script, { stdin, waitMs: 120_000 }));
  const conditions = "jsonpath={.status.conditions[?(@.type=='NetworkUnavailable')].reason}";
  condition = await lab.plane.mustKubectl(["get", "node", "n1", "-o", conditions]);
});

test("a real API server tells agents all nodes, in pages, and of those that are removed", () => {
  expect({ objects: answer.objects, known: answer.known }).toEqual({ objects: 605, known: 603 });
});

test("the peers of two nodes that are removed at once are taken once each, and struck with their locks", () => {
  const { taken, left, annotations } = answer;
  expect(taken).toEqual(["peer-of-n4", "peer-of-n5"]);
  expect({ left, annotations }).toEqual({ left: ["n1", "n2", "n3"], annotations: 1 });
});

test("the manifest allows what agents do, a condition of the node included, and no more", () => {
  expect(condition).toBe("WeaveIsUp");
  expect(answer.forbidden).toBe("K8S_FORBIDDEN");
});

test("a kind that a real API server does not have is absent", () => {
  expect(answer.absent).toBe("absent");
});
