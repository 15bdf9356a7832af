import { expect, test } from "bun:test";
import { WeaveError } from "../../../lib/base/errors.ts";
import type { EventSink } from "../../../lib/base/network-event.ts";
import { parsePeerName } from "../../../lib/base/peer-name.ts";
import { tellMeshEvent } from "../../../lib/daemon/events/mesh-news.ts";

const origin = parsePeerName("7a:00:00:00:00:01");

test.each([
  ["IPAM_RING_CONFLICT", ["gossip.refused", "ring.conflict"]],
  ["IPAM_RING_SEEDS", ["gossip.refused", "ring.split"]],
  ["IPAM_RING_RANGE", ["gossip.refused", "ring.split"]],
  ["IPAM_RING_INVALID", ["gossip.refused"]],
])("a ring that is refused with %s is told of as %j", (code, kinds) => {
  const told: string[] = [];
  const emit: EventSink = (kind) => void told.push(kind);
  const error = new WeaveError(code, "no");
  tellMeshEvent(emit, { kind: "refused", channel: "IPallocation", origin, error });
  expect(told).toEqual(kinds);
});
