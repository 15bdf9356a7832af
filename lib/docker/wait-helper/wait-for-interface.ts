import type { Assembler, Register } from "./assembler.ts";
import { answerBytes, frame } from "./frame.ts";
import * as linux from "./linux.ts";
import type { Texts } from "./texts.ts";

/** Between two looks: so long at first, longer by that each time, and never longer than this. */
const firstRestNs = 1_000_000;
const longestRestNs = 20_000_000;

/** When whoever waits is told for what, in seconds. */
export interface Patience {
  readonly firstWordAfterS: number;
  /** And again after each of these. */
  readonly nextWordAfterS: number;
}

const waitingText =
  "weave: waiting for the weave router to attach this container...\n" +
  "weave: 'weave status' on its host says whether the router runs, 'weave doctor' what is wrong\n";

const deadline: Register = "kept2";
const socket: Register = "kept3";
const routeSocket: Register = "kept4";
const message: Register = "kept5";

/**
 * Waits until the container's interface is up and, with `forRoute`, until all multicast groups are
 * routed, which is the last thing that the router does:
 *
 *   looks ──▶ not there, or down ─┐            looks at routes ──▶ none yet ─┐
 *     ▲   └─▶ up ─────────────────┼────────────────▲  └▶ there, or cannot be told ──▶ ready
 *     └────── rests, says what it waits for ◀──────┴───────────────────────────┘
 *
 * A container that may not ask the kernel is not kept waiting. Goes on behind what it emits.
 */
export function waitForInterface(
  asm: Assembler,
  calls: linux.SystemCalls,
  texts: Texts,
  what: { readonly name: string; readonly forRoute: boolean; readonly patience: Patience },
): void {
  const { name, forRoute, patience } = what;
  readClock(asm, calls);
  asm.load(64, deadline, "stack", frame.seconds);
  asm.add(deadline, deadline, patience.firstWordAfterS);
  openSocket(asm, calls, linux.AF_INET, linux.SOCK_DGRAM);
  asm.jumpIf("result", "<", 0, "ready");
  asm.move(socket, "result");
  storeName(asm, name);

  asm.set("argument0", 0);
  asm.store(64, "stack", frame.restSeconds, "argument0");
  asm.set("argument0", firstRestNs);
  asm.store(64, "stack", frame.restNanoseconds, "argument0");

  asm.label("look");
  asm.move("argument0", socket);
  asm.set("argument1", linux.SIOCGIFFLAGS);
  asm.add("argument2", "stack", frame.interfaceRequest);
  asm.systemCall(calls.ioctl);
  asm.jumpIf("result", "<", 0, "rest");
  asm.load(16, "argument0", "stack", frame.interfaceFlags);
  asm.jumpIfBit("argument0", linux.interfaceUpBit, forRoute ? "lookAtRoutes" : "ready");

  asm.label("rest");
  rest(asm, calls);
  readClock(asm, calls);
  asm.load(64, "argument0", "stack", frame.seconds);
  asm.jumpIf("argument0", "<", deadline, "look");
  asm.add(deadline, "argument0", patience.nextWordAfterS);
  texts.write(waitingText);
  asm.jump("look");

  if (forRoute) lookAtRoutes(asm, calls);
  asm.label("ready");
}

/** Most containers have their interface within some hundredths of a second. */
function rest(asm: Assembler, calls: linux.SystemCalls): void {
  asm.add("argument0", "stack", frame.restSeconds);
  asm.set("argument1", 0);
  asm.systemCall(calls.nanosleep);
  asm.load(64, "argument0", "stack", frame.restNanoseconds);
  asm.set("argument1", longestRestNs);
  asm.jumpIf("argument0", ">=", "argument1", "rested");
  asm.add("argument0", "argument0", firstRestNs);
  asm.store(64, "stack", frame.restNanoseconds, "argument0");
  asm.label("rested");
}

/** Asks for all routes (rtnetlink(7)) and reads the answer up to the one that is looked for. */
function lookAtRoutes(asm: Assembler, calls: linux.SystemCalls): void {
  asm.label("routeRequest");
  asm.data(routeRequest);

  asm.label("lookAtRoutes");
  openSocket(asm, calls, linux.AF_NETLINK, linux.SOCK_RAW);
  asm.jumpIf("result", "<", 0, "ready");
  asm.move(routeSocket, "result");
  asm.move("argument0", routeSocket);
  asm.address("argument1", "routeRequest");
  asm.set("argument2", routeRequest.length);
  for (const rest of ["argument3", "argument4", "argument5"] as const) asm.set(rest, 0);
  asm.systemCall(calls.sendto);
  asm.jumpIf("result", "<", 0, "ready");

  asm.label("receive");
  asm.move("argument0", routeSocket);
  asm.add("argument1", "stack", frame.answer);
  asm.set("argument2", answerBytes);
  for (const rest of ["argument3", "argument4", "argument5"] as const) asm.set(rest, 0);
  asm.systemCall(calls.recvfrom);
  asm.jumpIf("result", "<", headerBytes, "ready");
  asm.add(message, "stack", frame.answer);
  asm.addRegister("result", message);
  readMessages(asm, { end: "result" });

  asm.label("noRoute");
  asm.move("argument0", routeSocket);
  asm.systemCall(calls.close);
  asm.jump("rest");
}

/**
 * Messages from `message` to `end`, each with the attributes of a route:
 *
 *   +-----------+---------+----------+------------+----+--------------------------+----+---------+-------+
 *   | length: 4 | type: 2 | flags: 2 | ids: 8     | 1  | bits of destination: 1   | 10 | attribute …     |
 *   +-----------+---------+----------+------------+----+--------------------------+----+---------+-------+
 *                                     message header: 16       route header: 12        length: 2, type: 2
 */
function readMessages(asm: Assembler, { end }: { readonly end: Register }): void {
  const [length, kind, attribute, attributesEnd] = [
    "argument0",
    "argument1",
    "argument2",
    "argument3",
  ] as const;

  asm.label("message");
  asm.jumpIf(message, ">=", end, "receive");
  asm.load(32, length, message, 0);
  asm.jumpIf(length, "<", headerBytes, "ready");
  asm.load(16, kind, message, 4);
  asm.jumpIf(kind, "==", linux.NLMSG_DONE, "noRoute");
  asm.jumpIf(kind, "==", linux.NLMSG_ERROR, "ready");
  asm.jumpIf(kind, "!=", linux.RTM_NEWROUTE, "nextMessage");
  asm.load(8, kind, message, headerBytes + 1);
  asm.jumpIf(kind, "!=", multicast.bits, "nextMessage");
  asm.add(attribute, message, headerBytes + routeHeaderBytes);
  asm.move(attributesEnd, message);
  asm.addRegister(attributesEnd, length);

  asm.label("attribute");
  asm.jumpIf(attribute, ">=", attributesEnd, "nextMessage");
  asm.load(16, "argument4", attribute, 0);
  asm.jumpIf("argument4", "<", attributeHeaderBytes, "nextMessage");
  asm.load(16, kind, attribute, 2);
  asm.jumpIf(kind, "!=", linux.RTA_DST, "nextAttribute");
  asm.load(8, kind, attribute, attributeHeaderBytes);
  asm.jumpIf(kind, "==", multicast.firstOctet, "ready");
  asm.label("nextAttribute");
  asm.roundUpTo4("argument4");
  asm.addRegister(attribute, "argument4");
  asm.jump("attribute");

  asm.label("nextMessage");
  asm.roundUpTo4(length);
  asm.addRegister(message, length);
  asm.jump("message");
}

const headerBytes = 16;
const routeHeaderBytes = 12;
const attributeHeaderBytes = 4;

/** 224.0.0.0/4 */
const multicast = { firstOctet: 224, bits: 4 };

/** A dump of the routes of IPv4. */
const routeRequest = dumpRequest();

function dumpRequest(): Uint8Array {
  const request = new DataView(new ArrayBuffer(headerBytes + routeHeaderBytes));
  request.setUint32(0, request.byteLength, true);
  request.setUint16(4, linux.RTM_GETROUTE, true);
  request.setUint16(6, linux.NLM_F_REQUEST | linux.NLM_F_DUMP, true);
  request.setUint8(headerBytes, linux.AF_INET);
  return new Uint8Array(request.buffer);
}

function readClock(asm: Assembler, calls: linux.SystemCalls): void {
  asm.set("argument0", linux.CLOCK_MONOTONIC);
  asm.add("argument1", "stack", frame.seconds);
  asm.systemCall(calls.clock_gettime);
}

function openSocket(asm: Assembler, calls: linux.SystemCalls, family: number, kind: number): void {
  asm.set("argument0", family);
  asm.set("argument1", kind | linux.SOCK_CLOEXEC);
  asm.set("argument2", 0);
  asm.systemCall(calls.socket);
}

/** Into the request for an interface's flags, as 16 octets. */
function storeName(asm: Assembler, name: string): void {
  const octets = new DataView(new ArrayBuffer(16));
  new TextEncoder().encodeInto(name, new Uint8Array(octets.buffer));
  for (let at = 0; at < octets.byteLength; at += 4) {
    asm.set("argument0", octets.getInt32(at, true));
    asm.store(32, "stack", frame.interfaceRequest + at, "argument0");
  }
}
