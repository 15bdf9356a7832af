import { concatBytes, utf8 } from "../../base/bytes.ts";
import type { Ipv4 } from "../../base/ip.ts";
import * as message from "../netlink/message.ts";
import { attributesBehind, malformed, viewOf } from "../netlink/message.ts";

/**
 * Security associations and policies as the kernel is told of them (linux/xfrm.h, fastdp §8.4).
 * Addresses, ports and SPIs are big-endian, all else is in the machine's byte order.
 *
 *   selector (56)   destination 16 | source 16 | port 2, mask 2 | source port 2, mask 2 | family 2
 *                   | prefix lengths 1, 1 | protocol 1 | pad 3 | interface 4 | user 4
 *   id (24)         destination 16 | SPI 4 | protocol 1 | pad 3
 *   association     selector | id | source 16 | limits 64 | use 32 | counts 12 | sequence 4
 *     (224)         | request id 4 | family 2 | mode 1 | window 1 | flags 1 | pad 7
 *   policy (168)    selector | limits 64 | use 32 | priority 4 | index 4 | direction 1 | action 1
 *                   | flags 1 | share 1 | pad 4
 *   template (64)   id | family 2 | pad 2 | source 16 | request id 4 | mode 1 | share 1 | optional 1
 *                   | pad 1 | algorithms 4, 4, 4
 */
export const XFRM = {
  newAssociation: 16,
  deleteAssociation: 17,
  getAssociation: 18,
  deletePolicy: 20,
  getPolicy: 21,
  allocateSpi: 22,
  updatePolicy: 25,
  updateAssociation: 26,
} as const;
const ATTRIBUTE = { template: 5, aead: 18, mark: 21, replay: 23 } as const;

const AF_INET = 2;
const ESP = 50;
export const protocolUdp = 17;
const selectorBytes = 56;
const idBytes = 24;
const associationBytes = 224;
const policyBytes = 168;
const templateBytes = 64;
const limitsAt = 96;
const hostPrefix = 32;

/** Sequence numbers of 64 bits, of which 32 are sent. */
const flagEsn = 0x80;
const replayWindow = 256;
const bitmapWords = replayWindow / 32;
const cipher = "rfc4106(gcm(aes))";
const cipherNameBytes = 64;
const tagBits = 128;

export const policyDirection = { in: 0, out: 1 } as const;
export const policyAction = { allow: 0, block: 1 } as const;

/** Between two hosts, one way. */
export interface Way {
  readonly source: Ipv4;
  readonly destination: Ipv4;
}

export interface Association extends Way {
  readonly spi: number;
  /** Ties associations to the policies that ask for them; of this host alone. */
  readonly requestId: number;
}

/** Which packets a policy is for: UDP between two hosts. */
export interface PolicySelector extends Way {
  /** 0 for any. */
  readonly destinationPort: number;
  /** Value and mask; only packets so marked. */
  readonly mark?: readonly [number, number];
}

export interface Policy extends PolicySelector {
  readonly direction: keyof typeof policyDirection;
  readonly action: keyof typeof policyAction;
  /** ESP in transport mode, with any SPI when it is 0; missing: in clear. */
  readonly template?: Association;
}

/** Asks the kernel for an SPI that nobody uses towards this destination. */
export function allocateSpi(way: Way, requestId: number, range: readonly [number, number]) {
  const info = association({ ...way, spi: 0, requestId }, { limits: false, flags: 0 });
  return concatBytes(info, new Uint8Array(Uint32Array.from(range).buffer));
}

/** A new association, or what completes one whose SPI was allocated. `key`: 36 octets. */
export function describeAssociation(of: Association, key: Uint8Array): Uint8Array {
  const replay = Uint32Array.of(bitmapWords, 0, 0, 0, 0, replayWindow);
  return concatBytes(
    association(of, { limits: true, flags: flagEsn }),
    message.attribute(ATTRIBUTE.aead, aead(key)),
    message.attribute(ATTRIBUTE.replay, new Uint8Array(replay.buffer)),
  );
}

export function deleteAssociation({ destination, spi }: Association): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = viewOf(bytes);
  view.setUint32(0, destination);
  view.setUint32(16, spi);
  view.setUint16(20, AF_INET, true);
  bytes[22] = ESP;
  return bytes;
}

export function describePolicy(policy: Policy): Uint8Array {
  const bytes = new Uint8Array(policyBytes);
  bytes.set(selector(policy));
  noLimits(bytes, selectorBytes);
  bytes[160] = policyDirection[policy.direction];
  bytes[161] = policyAction[policy.action];
  const { template } = policy;
  return concatBytes(
    bytes,
    ...(template === undefined
      ? []
      : [message.attribute(ATTRIBUTE.template, encodeTemplate(template))]),
    ...markOf(policy),
  );
}

/** Names a policy, to read it or to delete it. */
export function namePolicy(policy: PolicySelector & Pick<Policy, "direction">): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set(selector(policy));
  bytes[60] = policyDirection[policy.direction];
  return concatBytes(bytes, ...markOf(policy));
}

/** @throws WeaveError `NETLINK_FORMAT` */
export function decodeAssociation(body: Uint8Array): Association {
  if (body.length < associationBytes) throw malformed("association", 0);
  const view = viewOf(body);
  return {
    destination: view.getUint32(selectorBytes),
    spi: view.getUint32(selectorBytes + 16),
    source: view.getUint32(selectorBytes + idBytes),
    requestId: view.getUint32(208, true),
  };
}

/** @throws WeaveError `NETLINK_FORMAT` */
export function decodePolicy(body: Uint8Array): Policy {
  const attributes = attributesBehind(policyBytes, body);
  const view = viewOf(body);
  const template = attributes.bytes(ATTRIBUTE.template);
  const mark = attributes.bytes(ATTRIBUTE.mark);
  return {
    destination: view.getUint32(0),
    source: view.getUint32(16),
    destinationPort: view.getUint16(32),
    direction: body[160] === policyDirection.in ? "in" : "out",
    action: body[161] === policyAction.allow ? "allow" : "block",
    ...(mark?.length === 8 && {
      mark: [viewOf(mark).getUint32(0, true), viewOf(mark).getUint32(4, true)],
    }),
    ...(template !== undefined &&
      template.length >= templateBytes && { template: decodeTemplate(template) }),
  };
}

function association(
  { source, destination, spi, requestId }: Association,
  options: { limits: boolean; flags: number },
): Uint8Array {
  const bytes = new Uint8Array(associationBytes);
  const view = viewOf(bytes);
  writeId(view, selectorBytes, destination, spi);
  view.setUint32(selectorBytes + idBytes, source);
  if (options.limits) noLimits(bytes, limitsAt);
  view.setUint32(208, requestId, true);
  view.setUint16(212, AF_INET, true);
  bytes[216] = options.flags;
  return bytes;
}

function selector(of: PolicySelector): Uint8Array {
  const bytes = new Uint8Array(selectorBytes);
  const view = viewOf(bytes);
  view.setUint32(0, of.destination);
  view.setUint32(16, of.source);
  if (of.destinationPort !== 0) {
    view.setUint16(32, of.destinationPort);
    view.setUint16(34, 0xffff);
  }
  view.setUint16(40, AF_INET, true);
  bytes[42] = hostPrefix;
  bytes[43] = hostPrefix;
  bytes[44] = protocolUdp;
  return bytes;
}

/** The family is that of the policy. */
function encodeTemplate({ source, destination, spi, requestId }: Association): Uint8Array {
  const bytes = new Uint8Array(templateBytes);
  const view = viewOf(bytes);
  writeId(view, 0, destination, spi);
  view.setUint32(28, source);
  view.setUint32(44, requestId, true);
  bytes.fill(0xff, 52);
  return bytes;
}

function decodeTemplate(bytes: Uint8Array): Association {
  const view = viewOf(bytes);
  return {
    destination: view.getUint32(0),
    spi: view.getUint32(16),
    source: view.getUint32(28),
    requestId: view.getUint32(44, true),
  };
}

function writeId(view: DataView, at: number, destination: Ipv4, spi: number): void {
  view.setUint32(at, destination);
  view.setUint32(at + 16, spi);
  view.setUint8(at + 20, ESP);
}

/** Four counts of octets and packets; the times behind them stay 0, which is never. */
function noLimits(bytes: Uint8Array, at: number): void {
  bytes.fill(0xff, at, at + 32);
}

/** name (64), key length 4, tag length 4, both in bits, key */
function aead(key: Uint8Array): Uint8Array {
  const head = new Uint8Array(cipherNameBytes + 8);
  head.set(utf8(cipher));
  const view = viewOf(head);
  view.setUint32(cipherNameBytes, key.length * 8, true);
  view.setUint32(cipherNameBytes + 4, tagBits, true);
  return concatBytes(head, key);
}

function markOf({ mark }: PolicySelector): Uint8Array[] {
  if (mark === undefined) return [];
  return [message.attribute(ATTRIBUTE.mark, new Uint8Array(Uint32Array.from(mark).buffer))];
}
