import { describe, expect, test } from "bun:test";
import { ConditionKeeper } from "../../../lib/kubernetes/agent/condition-keeper.ts";
import { someNode } from "../fake-cluster.ts";
import { FollowedNodes } from "./followed-nodes.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly lastHeartbeatTime: string;
  readonly lastTransitionTime: string;
}

function begun() {
  const followed = new FollowedNodes();
  const { world, api, nodes, cluster } = followed;
  cluster.apply(someNode("n1"));
  cluster.apply(someNode("n2"));
  const keeper = new ConditionKeeper({ world, api, nodes, nodeName: "n1" });
  nodes.start();
  const condition = (name = "n1"): Condition | undefined => {
    const { conditions } = cluster.get("nodes", name)!.status as { conditions: Condition[] };
    return conditions.find(({ type }) => type === "NetworkUnavailable");
  };
  return { followed, keeper, condition };
}

describe("a node", () => {
  test("says that it has a network when it has one, and since when for as long as it has", async () => {
    const { followed, keeper, condition } = begun();
    await followed.pass(1000);
    expect(condition()).toBeUndefined();
    await keeper.begin();
    const first = condition()!;
    expect(first).toMatchObject({ status: "False", reason: "WeaveIsUp" });
    await followed.pass(700_000);
    const later = condition()!;
    expect(later.lastTransitionTime).toBe(first.lastTransitionTime);
    expect(Date.parse(later.lastHeartbeatTime)).toBeGreaterThan(
      Date.parse(first.lastHeartbeatTime),
    );
    expect(condition("n2")).toBeUndefined();
    await keeper.stop();
    await followed[Symbol.asyncDispose]();
  });

  test("that is registered anew says so at once", async () => {
    const { followed, keeper, condition } = begun();
    await followed.pass(1000);
    await keeper.begin();
    followed.cluster.delete("nodes", "n1");
    await followed.pass(1000);
    followed.cluster.apply(someNode("n1"));
    expect(condition()).toBeUndefined();
    await followed.pass(1000);
    expect(condition()).toMatchObject({ status: "False" });
    await keeper.stop();
    await followed[Symbol.asyncDispose]();
  });

  test("says that it has none when its router stops, and waits for no server", async () => {
    const { followed, keeper, condition } = begun();
    await followed.pass(1000);
    await keeper.begin();
    await keeper.stop();
    expect(condition()).toMatchObject({ status: "True", reason: "WeaveIsDown" });
    const silent = begun();
    await silent.followed.pass(1000);
    await silent.keeper.begin();
    silent.followed.api.before = () => new Promise(() => undefined);
    const stopped = silent.keeper.stop();
    await silent.followed.pass(2000);
    await stopped;
    expect(silent.condition()).toMatchObject({ status: "False" });
    await followed[Symbol.asyncDispose]();
    await silent.followed[Symbol.asyncDispose]();
  });

  test("that never had a network says nothing of it when its router stops", async () => {
    const { followed, keeper, condition } = begun();
    await keeper.stop();
    expect(condition()).toBeUndefined();
    await followed[Symbol.asyncDispose]();
  });
});
