import { describe, expect, test } from "bun:test";
import { RecentBlocks, recentMax, recentMs } from "../../../lib/daemon/policy/recent-blocks.ts";
import type { BlockedPacket } from "../../../lib/policy/enforcer.ts";

const packet = (origin: string, destination = "10.32.0.2"): BlockedPacket => ({
  ...{ direction: "ingress", origin, protocol: "ICMP", source: "10.32.0.1", destination },
});

describe("what policies have blocked of late", () => {
  test("is the last packet of each, the latest first, with how many there were", () => {
    const blocks = new RecentBlocks();
    blocks.note(packet("shop/deny"), 0);
    blocks.note(packet("shop/other"), 10);
    blocks.note(packet("shop/deny", "10.32.0.3"), 20);
    expect(blocks.lately(30)).toEqual([
      { last: packet("shop/deny", "10.32.0.3"), count: 2, atMs: 20 },
      { last: packet("shop/other"), count: 1, atMs: 10 },
    ]);
  });

  test("is forgotten after a while, and counted anew after that", () => {
    const blocks = new RecentBlocks();
    blocks.note(packet("shop/deny"), 0);
    expect(blocks.lately(recentMs)).toEqual([]);
    blocks.note(packet("shop/deny"), recentMs);
    expect(blocks.lately(recentMs)).toMatchObject([{ count: 1 }]);
  });

  test("takes no more room than a bound, whatever is blocked", () => {
    const blocks = new RecentBlocks();
    for (let at = 0; at <= recentMax; at++) blocks.note(packet(`shop/p${at}`), at);
    const names = blocks.lately(recentMax).map(({ last }) => last.origin);
    expect(names).toHaveLength(recentMax);
    expect(names).not.toContain("shop/p0");
  });
});
