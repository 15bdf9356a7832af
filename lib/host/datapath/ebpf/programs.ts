import { handoverFlag, heartbeatFlag } from "../../../overlay/fastdp/ports.ts";
import { macAgeMaxMs } from "../../../overlay/mac-table.ts";
import {
  Assembler,
  type Assembly,
  fp,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
} from "../../bpf/assembler.ts";
import {
  deliveredFlag,
  lanedFlag,
  setTunnelKeyOf,
  shortIdBits,
  tunnelledFlag,
  writeArrival,
  writeFlood,
  writeForward,
  writeLearning,
  writeLeaving,
  writeNeighbourHeard,
} from "./decisions.ts";
import { measureFrame, passPathErrors, readAddresses } from "./frame-headers.ts";
import { frame, stack, tunnelKey } from "./frame-memory.ts";
import { type Actions, FrameProgram, realActions } from "./frame-program.ts";
import {
  aheadTicksMax,
  mac,
  neighbour,
  route,
  routeKind,
  settings,
  shortIds,
  tickMs,
  tickShift,
} from "./tables.ts";

/**
 * The programs, as `ports.ts` describes what they decide:
 *
 *   bridge ──▶ egress of the uplink and of lanes: container ──▶ lane of the neighbour, or the tunnel
 *   bridge ◀── ingress of the uplink, and of other VXLAN devices: wire ──▶ tunnel, sleeve
 *   bridge ◀── ingress of lanes, for what came through the gate: lane ──▶ tunnel, sleeve
 *   bridge ◀── ingress of our end of the pair to sleeve: handover ──▶ tunnel, sleeve
 *
 * The uplink is itself the VXLAN device of our own port. A frame that comes in elsewhere reaches the
 * bridge through the uplink as well, so that the bridge sees those hosts behind one port; what comes
 * by a lane enters there, and the bridge sends what is for its sender to that lane by itself.
 */
export type ProgramKind = "container" | "wire" | "handover" | "lane";
export const programKinds: readonly ProgramKind[] = ["container", "wire", "handover", "lane"];

const flagShift = 24;
const vniMask = 0xff_ffff;
const shortIdMask = shortIds - 1;

/** 01:80:c2:00:00:00 as its six octets read as a little-endian number. */
const spanningTreeKey = 0xc28001;

const ageMaxTicks = Math.ceil(macAgeMaxMs / tickMs);

/** Ethernet type of a heartbeat on its way to this process: local experimental (IEEE 802). */
export const heartbeatEtherType = 0x88b5;
const heartbeatEtherTypeOnWire = 0xb588;

/** One of the programs, not yet linked to its tables. */
export function assembleProgram(kind: ProgramKind): Assembly {
  const asm = new Assembler();
  writeProgram(asm, kind, realActions);
  return asm.assemble();
}

/** Appends a program that begins with the frame in r1. */
export function writeProgram(asm: Assembler, kind: ProgramKind, actions: Actions): void {
  const program = new FrameProgram(asm, actions);
  program.begin(settings);
  const writers = {
    container: writeContainer,
    wire: writeWire,
    handover: writeHandover,
    lane: writeLane,
  };
  writers[kind](program);
  program.finish();
}

function writeContainer(program: FrameProgram): void {
  const { asm } = program;
  readAddresses(program);
  passMarked(program);
  asm.jumpIf(r3, "==", spanningTreeKey, program.dropped("spanningTree"));
  asm.jumpIf(r4, "==", 0, program.dropped("malformed"));
  program.loadStack(r7, stack.self);
  asm.jumpIf(r7, "==", -1, program.dropped("notReady"), 32);
  asm.set(r8, r3);
  measureFrame(program);
  program.readClock(tickShift);
  writeLearning(program, "captured");
  asm.jumpIf(r8, "&", 1, "flood");
  program.lookup("macs", stack.destination, "unknown");
  asm.load("u32", r8, r0, mac.owner);
  asm.load("u32", r1, r0, mac.seen);
  asm.jumpIf(r8, "==", r7, program.dropped("destinationLocal"));
  program.loadStack(r2, stack.now);
  asm.compute(r2, "subtract", r1, 32);
  asm.compute(r2, "add", aheadTicksMax, 32);
  asm.jumpIf(r2, "<=", ageMaxTicks + aheadTicksMax, "forward", 32);
  asm.label("unknown");
  program.lookup("residents", stack.destination, "flood");
  asm.jump(program.dropped("destinationLocal"));

  asm.label("flood");
  writeFlood(program, "container");
  asm.label("forward");
  writeForward(program, "container");
}

/** Frames that one of our programs sent here, and heartbeats of this process. */
function passMarked(program: FrameProgram): void {
  const { asm } = program;
  program.loadFrame(r1, frame.mark);
  asm.set(r2, r1);
  asm.compute(r2, "shiftRight", flagShift);
  asm.jumpIf(r2, "==", heartbeatFlag >>> flagShift, "heartbeat");
  asm.jumpIf(r2, "==", lanedFlag >>> flagShift, "laned");
  asm.jumpIf(r2, "!=", tunnelledFlag >>> flagShift, "unmarked");
  program.readTunnelKey("no key");
  asm.label("laned");
  program.setMark(0);
  asm.jump("passed");

  asm.label("heartbeat");
  asm.compute(r1, "and", vniMask);
  program.storeStack(stack.vni, r1);
  asm.set(r8, r1);
  asm.compute(r8, "shiftRight", shortIdBits);
  program.loadStack(r3, stack.destination, "u64");
  asm.jumpIf(r3, "!=", 0, "no key");
  program.setMark(0);
  program.lookupIndex("neighbours", r8, program.dropped("noRoute"));
  asm.load("u32", r1, r0, neighbour.present);
  asm.jumpIf(r1, "==", 0, program.dropped("noRoute"));
  asm.load("u32", r8, r0, neighbour.device);
  setTunnelKeyOf(program);
  asm.jumpIf(r0, "!=", 0, program.dropped("encapsulation"));
  program.count("heartbeatsSent");
  writeLeaving(program, "container");

  asm.label("no key");
  program.loadStack(r3, stack.destination, "u64");
  program.loadStack(r4, stack.source, "u64");
  asm.label("unmarked");
}

function writeWire(program: FrameProgram): void {
  const { asm } = program;
  program.loadFrame(r1, frame.mark);
  asm.jumpIf(r1, "==", deliveredFlag, "delivered");
  program.readTunnelKey(program.dropped("malformed"));
  program.loadStack(r1, stack.tunnelKey + tunnelKey.remote);
  program.storeStack(stack.outerSource, r1);
  program.loadStack(r1, stack.tunnelKey + tunnelKey.vni);
  program.storeStack(stack.vni, r1);
  program.loadFrame(r1, frame.device);
  program.storeStack(stack.arrivedBy, r1);
  readAddresses(program);
  program.readClock(tickShift);
  splitVni(program, "own");
  writeOriginatorHeard(program);
  program.loadStack(r4, stack.source, "u64");
  asm.jumpIf(r4, "==", 0, "no source");
  writeSourceCheck(program);
  writeArrival(program, "wire");

  asm.label("own");
  passPathErrors(program);
  asm.jump(program.dropped("unknownPeer"));
  asm.label("delivered");
  program.setMark(0);
  asm.jump("passed");
  writeHeard(program);
}

function writeHandover(program: FrameProgram): void {
  const { asm } = program;
  program.loadFrame(r1, frame.mark);
  asm.jumpIf(r1, "==", heartbeatFlag, "passed");
  asm.set(r2, r1);
  asm.compute(r2, "shiftRight", flagShift);
  asm.jumpIf(r2, "!=", handoverFlag >>> flagShift, program.dropped("unmarked"));
  asm.compute(r1, "and", vniMask);
  program.storeStack(stack.vni, r1);
  program.storeStack(stack.outerSource, 0);
  program.storeStack(stack.arrivedBy, 0);
  program.count("handedInFrames");
  readAddresses(program);
  asm.jumpIf(r4, "==", 0, program.dropped("malformed"));
  splitVni(program, program.dropped("unknownPeer"));
  program.lookupIndex("routes", r7, program.dropped("unknownPeer"));
  asm.load("u16", r1, r0, route.kind);
  asm.jumpIf(r1, "==", routeKind.none, program.dropped("unknownPeer"));
  program.readClock(tickShift);
  writeArrival(program, "handover");
}

function writeLane(program: FrameProgram): void {
  const { asm } = program;
  program.loadFrame(r7, frame.mark);
  asm.set(r2, r7);
  asm.compute(r2, "shiftRight", flagShift);
  asm.jumpIf(r2, "!=", lanedFlag >>> flagShift, "unmarked");
  asm.compute(r7, "and", shortIdMask);
  readAddresses(program);
  program.readClock(tickShift);
  program.lookupIndex("neighbours", r7, program.dropped("unknownPeer"));
  asm.load("u32", r1, r0, neighbour.present);
  asm.jumpIf(r1, "==", 0, program.dropped("unknownPeer"));
  asm.load("u32", r1, r0, neighbour.remote);
  program.storeStack(stack.outerSource, r1);
  program.noteSlot();
  writeNeighbourHeard(program);
  program.loadStack(r1, stack.uplink);
  program.storeStack(stack.arrivedBy, r1);
  program.loadStack(r1, stack.self);
  asm.compute(r1, "shiftLeft", shortIdBits);
  asm.compute(r1, "or", r7);
  program.storeStack(stack.vni, r1);
  program.loadStack(r4, stack.source, "u64");
  asm.jumpIf(r4, "==", 0, "no source");
  program.countTraffic("received");
  writeArrival(program, "lane");

  asm.label("unmarked");
  passPathErrors(program);
  asm.jump(program.dropped("unknownPeer"));
  asm.label("delivered");
  program.setMark(0);
  asm.jump("passed");
  writeHeard(program);
}

/** r7 = originator, r8 = destination, r2 is lost; to `own` when we are the originator. */
function splitVni(program: FrameProgram, own: string): void {
  const { asm } = program;
  program.loadStack(r7, stack.vni);
  asm.set(r8, r7);
  asm.compute(r7, "and", shortIdMask);
  asm.compute(r8, "shiftRight", shortIdBits);
  program.loadStack(r2, stack.self);
  asm.jumpIf(r7, "==", r2, own);
}

/** Notes that r7 was heard, if the frame came from its host. */
function writeOriginatorHeard(program: FrameProgram): void {
  const { asm } = program;
  program.lookupIndex("neighbours", r7, "not of a neighbour");
  asm.load("u32", r1, r0, neighbour.remote);
  program.loadStack(r2, stack.outerSource);
  asm.jumpIf(r1, "!=", r2, "not of a neighbour");
  writeNeighbourHeard(program);
  asm.label("not of a neighbour");
}

/** Whether we know where the frame comes from, inside and outside. */
function writeSourceCheck(program: FrameProgram): void {
  const { asm } = program;
  program.lookupIndex("routes", r7, program.dropped("unknownPeer"));
  asm.load("u16", r1, r0, route.kind);
  asm.jumpIf(r1, "!=", routeKind.tunnel, "elsewhere");
  asm.load("u16", r1, r0, route.neighbour);
  program.lookupIndex("neighbours", r1, program.dropped("unknownPeer"));
  asm.load("u32", r1, r0, neighbour.remote);
  program.loadStack(r2, stack.outerSource);
  asm.jumpIf(r1, "!=", r2, "elsewhere");
  // Most frames come from where frames for their originator go.
  program.noteSlot();
  program.countTraffic("received");
  asm.jump("source known");
  asm.label("elsewhere");
  writePeerCheck(program);
  program.lookup("sources", stack.outerSource, program.dropped("unknownSource"));
  asm.load("u32", r1, r0, 0);
  program.storeStack(stack.slot, r1);
  program.countTraffic("received");
  asm.label("source known");
}

/** Whether anything is known of peer r7. */
function writePeerCheck(program: FrameProgram): void {
  const { asm } = program;
  const known = program.label("known");
  program.lookupIndex("routes", r7, program.dropped("unknownPeer"));
  asm.load("u16", r1, r0, route.kind);
  asm.jumpIf(r1, "!=", routeKind.none, known);
  program.lookupIndex("neighbours", r7, program.dropped("unknownPeer"));
  asm.load("u32", r1, r0, neighbour.present);
  asm.jumpIf(r1, "==", 0, program.dropped("unknownPeer"));
  asm.label(known);
}

/**
 * A frame without a source address is a heartbeat or nothing. It goes to this process through our
 * end of the pair to sleeve, where no bridge is, with its first octets replaced:
 *
 *   | outer source: 4 BE | VNI: 4 BE | device: 4 BE | 88b5 | connection UID: 8 | length: 2 | …
 */
function writeHeard(program: FrameProgram): void {
  const { asm } = program;
  asm.label("no source");
  readAddresses(program);
  asm.jumpIf(r3, "!=", 0, program.dropped("malformed"));
  const typeAt = 12;
  asm.load("u16", r1, r1, typeAt);
  asm.jumpIf(r1, "!=", 0, program.dropped("malformed"));
  writePeerCheck(program);
  const at = stack.tunnelKey;
  program.loadStack(r1, stack.outerSource);
  asm.swap(r1, 32);
  program.storeStack(at, r1);
  program.loadStack(r1, stack.vni);
  asm.swap(r1, 32);
  program.storeStack(at + 4, r1);
  program.loadStack(r1, stack.arrivedBy);
  asm.swap(r1, 32);
  program.storeStack(at + 8, r1);
  program.storeStack(at + typeAt, heartbeatEtherTypeOnWire, "u16");
  asm.set(r1, r6);
  asm.set(r2, 0);
  asm.address(r3, fp, at);
  asm.set(r4, typeAt + 2);
  asm.set(r5, 0);
  asm.call("storeBytes");
  asm.jumpIf(r0, "!=", 0, program.dropped("malformed"));
  program.count("heartbeatsHeard");
  program.setMark(heartbeatFlag);
  program.loadStack(r1, stack.handover);
  program.arriveAt();
}
