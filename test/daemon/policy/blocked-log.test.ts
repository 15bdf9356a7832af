import { describe, expect, test } from "bun:test";
import { prometheusText } from "../../../lib/api/metrics/prometheus-text.ts";
import type { EventSink } from "../../../lib/base/network-event.ts";
import {
  BlockedLog,
  blockedText,
  linesMax,
  originsMax,
  portsMax,
} from "../../../lib/daemon/policy/blocked-log.ts";
import type { BlockedPacket } from "../../../lib/policy/enforcer.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";

const packet = (change: Partial<BlockedPacket> = {}): BlockedPacket => ({
  ...{ direction: "ingress", origin: "shop/deny", protocol: "TCP" },
  ...{ source: "10.32.0.1", destination: "10.32.0.2", ports: { source: 40_000, destination: 80 } },
  ...change,
});

function setUp(waiting: BlockedPacket[]) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const log = { debug() {}, info() {}, error() {}, warn: (line: string) => void lines.push(line) };
  const world = Object.assign(new SimWorld(clock, 1), { log });
  const told: unknown[] = [];
  const emit: EventSink = (kind, details) => void told.push([kind, details]);
  const teller = { read: () => waiting.splice(0), [Symbol.dispose]() {} };
  const blocked = new BlockedLog(world, () => teller, emit);
  blocked.start();
  clock.run(1000);
  return { blocked, clock, lines, told };
}

describe("what is blocked", () => {
  test("is written in the words of the original, and in its manner where that had none", () => {
    expect(blockedText(packet())).toBe(
      "TCP connection from 10.32.0.1:40000 to 10.32.0.2:80 blocked by Weave NPC.",
    );
    expect(
      blockedText(packet({ protocol: "SCTP", source: "fd00::1", destination: "fd00::2" })),
    ).toBe("SCTP connection from [fd00::1]:40000 to [fd00::2]:80 blocked by Weave NPC.");
    const { ports: _, ...bare } = packet({ protocol: "ICMP" });
    expect(blockedText(bare)).toBe("ICMP packet from 10.32.0.1 to 10.32.0.2 blocked by Weave NPC.");
  });

  test("fills neither the log nor the metrics, whoever knocks at all ports", () => {
    const knocks = Array.from({ length: 5000 }, (_, port) =>
      packet({ ports: { source: 1, destination: port + 1 }, origin: `shop/p${port}` }),
    );
    const { blocked, lines } = setUp(knocks);
    expect(lines).toHaveLength(linesMax + 1);
    expect(lines.at(-1)).toBe(`${5000 - linesMax} more were blocked in the same moment`);
    const samples = blocked.measurements();
    expect(samples.length).toBeLessThanOrEqual(portsMax + originsMax + 4);
    const total = samples
      .filter(({ name }) => name === "weavenpc_blocked_connections_total")
      .reduce((sum, { value }) => sum + value, 0);
    expect(total).toBe(5000);
  });

  test("is counted under the names and labels of the original", () => {
    const { blocked } = setUp([packet(), packet(), packet({ protocol: "UDP" })]);
    const text = prometheusText(blocked.measurements());
    expect(text).toContain('weavenpc_blocked_connections_total{dport="80",protocol="tcp"} 2\n');
    expect(text).toContain('weavenpc_blocked_connections_total{dport="80",protocol="udp"} 1\n');
    expect(text).toContain(
      'weave_policy_blocked_total{direction="ingress",policy="shop/deny"} 3\n',
    );
  });

  test("is told as an event, with the port where there is one", () => {
    const { ports: _, ...bare } = packet({ protocol: "ICMP", origin: undefined });
    const { told } = setUp([packet(), bare]);
    const ends = { source: "10.32.0.1", destination: "10.32.0.2", direction: "ingress" };
    expect(told).toEqual([
      ["policy.blocked", { ...ends, policy: "shop/deny", protocol: "TCP", port: 80 }],
      ["policy.blocked", { ...ends, policy: "unknown", protocol: "ICMP", port: null }],
    ]);
  });

  test("is heard of as soon as that can be, and keeps no policy from being enforced before", () => {
    const clock = new VirtualClock();
    let isTaken = true;
    const blocked = new BlockedLog(new SimWorld(clock, 1), () => {
      if (isTaken) throw new Error("somebody else hears of it");
      return { read: () => [packet()], [Symbol.dispose]() {} };
    });
    expect(() => blocked.start()).not.toThrow();
    clock.run(2000);
    expect(blocked.measurements()).toEqual([]);
    isTaken = false;
    clock.run(2000);
    expect(blocked.measurements()).not.toEqual([]);
  });
});
