import { expect } from "bun:test";
import { formatPeerName, type PeerName } from "../../lib/base/peer-name.ts";
import { type AllocatorMessage, decodeState } from "../../lib/ipam/state-codec.ts";
import { decodeUnicast } from "../../lib/ipam/unicast-codec.ts";
import type { Sent } from "./test-peer.ts";
import { sorted, toRange, toState, type VectorRange, type VectorState } from "./vectors.ts";

/** A message as the vectors list it. */
export interface VectorSend {
  id?: string;
  kind: "unicast" | "broadcast";
  message?: "space_request" | "ring_update" | "space_request_denied";
  to?: string;
  range?: VectorRange;
  state?: VectorState;
  state_encoded_after_the_action?: VectorState;
  hex?: string;
}

const kinds = {
  space_request: "space-request",
  ring_update: "ring-update",
  space_request_denied: "space-denied",
} as const;

/** Compares by value: the clock and the order of maps are free. */
export function expectSent(actual: readonly Sent[], wanted: readonly VectorSend[]): void {
  expect(actual.map(shown)).toEqual(wanted.map(shownVector));
}

function shown(sent: Sent): unknown {
  if (sent.kind === "broadcast") return { broadcast: timeless(decodeState(sent.payload)) };
  const message = decodeUnicast(sent.payload)!;
  const what = message.kind === "ring-update" ? timeless(message.state) : message.range;
  return { [message.kind]: what, to: nameOf(sent.to) };
}

function shownVector(send: VectorSend): unknown {
  const state = send.state ?? send.state_encoded_after_the_action;
  const what = state === undefined ? toRange(send.range!) : timeless(toState(state));
  return send.kind === "broadcast"
    ? { broadcast: what }
    : { [kinds[send.message!]]: what, to: send.to };
}

function timeless(state: AllocatorMessage): AllocatorMessage {
  return { ...sorted(state), nowSeconds: 0 };
}

function nameOf(peer: PeerName): string {
  return formatPeerName(peer);
}
