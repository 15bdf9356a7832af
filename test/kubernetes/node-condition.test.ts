import { expect, test } from "bun:test";
import { ApiClient } from "../../lib/kubernetes/api-client.ts";
import {
  networkIsDown,
  networkIsUp,
  setNetworkCondition,
} from "../../lib/kubernetes/node-condition.ts";
import { FakeApiServer } from "./fake-api-server.ts";
import { someNode } from "./fake-cluster.ts";

const at = { sinceMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678), nowMs: Date.UTC(2026, 0, 2, 3, 9, 5) };

test("a node says that it has a network as the original did, and that it has none, beside all else", async () => {
  await using server = new FakeApiServer();
  server.cluster.apply(someNode("n1", { InternalIP: "10.0.0.1" }));
  const api = new ApiClient({ server: server.url });
  const conditions = () => Object(server.cluster.get("nodes", "n1")!.status).conditions;
  await setNetworkCondition(api, "n1", networkIsUp, at);
  expect(conditions()).toEqual([
    { type: "Ready", status: "True", reason: "KubeletReady" },
    {
      ...{ type: "NetworkUnavailable", status: "False", reason: "WeaveIsUp" },
      message: "Weave pod has set this",
      ...{ lastHeartbeatTime: "2026-01-02T03:09:05Z", lastTransitionTime: "2026-01-02T03:04:05Z" },
    },
  ]);
  await setNetworkCondition(api, "n1", networkIsDown, at);
  expect(conditions()[1]).toMatchObject({ status: "True", reason: "WeaveIsDown" });
  expect(conditions().length).toBe(2);
  expect(server.requests.at(-1)).toMatchObject({ verb: "patch", subresource: "status" });
});

test("a node that is not registered yet cannot say it", async () => {
  await using server = new FakeApiServer();
  const api = new ApiClient({ server: server.url });
  await expect(setNetworkCondition(api, "n1", networkIsUp, at)).rejects.toHaveProperty(
    "code",
    "K8S_NOT_FOUND",
  );
});
