import { expect, test } from "bun:test";
import type { EventSink } from "../../../lib/base/network-event.ts";
import { parsePeerName } from "../../../lib/base/peer-name.ts";
import { LinkNews } from "../../../lib/daemon/events/link-news.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";

const peer = parsePeerName("7a:00:00:00:00:01");
const named = { peer: "7a:00:00:00:00:01", nickname: "host1" };

function setUp() {
  const clock = new VirtualClock();
  const told: unknown[] = [];
  const emit: EventSink = (kind, details) => void told.push([kind, details]);
  return { clock, told, news: new LinkNews(new SimWorld(clock, 1), emit, () => "host1") };
}

test("a search for what a path carries is told of by its end, and once", () => {
  const { clock, told, news } = setUp();
  for (const mtu of [1376, 1410, 8000, 8950]) {
    news.mtuFound({ remote: peer, overlay: "sleeve", mtu });
    clock.run(1000);
  }
  clock.run(5000);
  news.mtuFound({ remote: peer, overlay: "sleeve", mtu: 8950 });
  clock.run(5000);
  expect(told).toEqual([["link.mtu", { ...named, overlay: "sleeve", mtu: 8950 }]]);
});

test("what the overlay may carry that takes the place of another is told as well", () => {
  const { clock, told, news } = setUp();
  for (const overlay of ["sleeve", "fastdp", "sleeve"]) {
    news.mtuFound({ remote: peer, overlay, mtu: 1400 });
    clock.run(5000);
  }
  expect(told).toHaveLength(3);
});

test("what is found out for the next link to a peer is told again, and nothing of one that is gone", () => {
  const { clock, told, news } = setUp();
  news.mtuFound({ remote: peer, overlay: "fastdp", mtu: 1410 });
  clock.run(5000);
  news.linkLost(peer);
  news.mtuFound({ remote: peer, overlay: "fastdp", mtu: 1410 });
  clock.run(5000);
  expect(told).toHaveLength(2);
  news.mtuFound({ remote: peer, overlay: "fastdp", mtu: 1200 });
  news.linkLost(peer);
  clock.run(5000);
  expect(told).toHaveLength(2);
});

test("an overlay that takes the place of another is told of with the reason", () => {
  const { told, news } = setUp();
  const change = { overlay: "sleeve", before: "fastdp", degraded: true, reason: "no heartbeats" };
  news.overlayChanged({ remote: peer, ...change });
  expect(told).toEqual([["link.overlay", { ...named, ...change }]]);
});
