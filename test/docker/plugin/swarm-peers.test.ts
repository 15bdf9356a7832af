import { describe, expect, test } from "bun:test";
import { silentLog } from "../../../lib/base/world.ts";
import type { EngineInfo } from "../../../lib/docker/engine-models.ts";
import { SwarmPeers, swarmManagers } from "../../../lib/docker/plugin/swarm-peers.ts";

function infoOf(managers: readonly string[], nodeAddress = "10.0.0.1"): EngineInfo {
  const swarm = { state: "active", nodeId: "n1", nodeAddress, managers };
  return { name: "h", version: "28", firewall: "", swarm };
}

describe("the managers of a swarm", () => {
  test("are peers, but for this host, without their ports", () => {
    const managers = ["10.0.0.2:2377", "10.0.0.1:2377", "10.0.0.2:2377", "[fd00::3]:2377", ""];
    expect(swarmManagers(infoOf(managers))).toEqual(["10.0.0.2", "fd00::3"]);
  });

  test("are asked for again and again, and each is told of once", async () => {
    const answers = [
      undefined,
      infoOf([]),
      infoOf(["a:1"]),
      infoOf(["a:1", "b:1"]),
      infoOf(["b:1"]),
    ];
    const told: string[][] = [];
    const cancelled: string[] = [];
    const peers = new SwarmPeers({
      world: { log: silentLog, after: () => () => void cancelled.push("timer") },
      engine: {
        async info() {
          const answer = answers.shift();
          if (answer === undefined) throw new Error("the engine is starting its plugins");
          return answer;
        },
      },
      connect: (hosts) => void told.push([...hosts]),
    });
    await Promise.resolve();
    while (answers.length > 0) {
      await peers.look();
      await Promise.resolve();
    }
    peers.stop();
    expect(told).toEqual([["a"], ["b"]]);
    expect(cancelled).toEqual(["timer"]);
  });
});
