import { handoverFlag } from "../../../overlay/fastdp/ports.ts";
import { macHoldDownMs } from "../../../overlay/mac-table.ts";
import { fp, type Register, r0, r1, r2, r3, r4, r7, r8 } from "../../bpf/assembler.ts";
import { measureFrame } from "./frame-headers.ts";
import { frame, stack } from "./frame-memory.ts";
import type { FrameProgram } from "./frame-program.ts";
import { aheadTicksMax, floodMax, mac, neighbour, route, routeKind, tickMs } from "./tables.ts";

/**
 * What the programs decide alike. r7 is the originator of the frame, r8 the peer it is for; frames
 * go on to the labels "deliver", "forward", "passed" and "dropped".
 */

/** Marks of frames that one of our programs sends to another. */
export const tunnelledFlag = 0x0400_0000;
export const deliveredFlag = 0x0800_0000;
/**
 * On the way out: a program has put the frame on its lane. On the way in: it came through the gate,
 * from the neighbour in the low bits.
 */
export const lanedFlag = 0x1000_0000;
export const shortIdBits = 12;

const holdDownTicks = Math.ceil(macHoldDownMs / tickMs);
/** An entry that was seen so recently is not written again. */
const refreshTicks = 64;

export type Origin = "container" | "wire" | "lane" | "handover";

/** What happens to a frame of peer r7 for peer r8 that came from another host; the time has been read. */
export function writeArrival(program: FrameProgram, from: "wire" | "lane" | "handover"): void {
  const { asm } = program;
  if (from !== "lane") {
    program.loadStack(r1, stack.self);
    asm.jumpIf(r8, "!=", r1, "forward");
  }
  writeLearning(program, "received");
  program.lookupIndex("routes", r7, "deliver");
  asm.load("u16", r1, r0, route.floods);
  asm.jumpIf(r1, "==", 0, "deliver");
  program.loadStack(r3, stack.destination, "u64");
  asm.jumpIf(r3, "&", 1, "flood");
  program.lookup("macs", stack.destination, "unknown");
  asm.load("u32", r1, r0, mac.owner);
  program.loadStack(r2, stack.self);
  asm.jumpIf(r1, "==", r2, "deliver");
  asm.jump("flood");
  asm.label("unknown");
  program.lookup("residents", stack.destination, "flood");
  asm.jump("deliver");

  asm.label("flood");
  measureFrame(program);
  writeFlood(program, from);
  asm.label("deliver");
  if (from !== "handover") {
    program.count("receivedFrames");
    program.count("receivedBytes", true);
  }
  if (from === "lane") {
    asm.jump("delivered");
    return;
  }
  if (from === "wire") {
    program.loadFrame(r1, frame.device);
    program.loadStack(r2, stack.uplink);
    asm.jumpIf(r1, "==", r2, "delivered");
  }
  program.setMark(deliveredFlag);
  program.loadStack(r1, stack.uplink);
  program.arriveAt();

  asm.label("forward");
  measureFrame(program);
  writeForward(program, from);
}

/**
 * Notes that the neighbour at r0 was heard, by a frame or a heartbeat, for which both addresses have
 * been read. What many processors look at is written once a tick at most.
 */
export function writeNeighbourHeard(program: FrameProgram): void {
  const { asm } = program;
  const [beat, noted] = [program.label("beat"), program.label("noted")];
  program.loadStack(r1, stack.now);
  program.loadStack(r2, stack.source, "u64");
  asm.jumpIf(r2, "==", 0, beat);
  asm.load("u32", r2, r0, neighbour.frameHeard);
  asm.jumpIf(r1, "==", r2, noted, 32);
  asm.store("u32", r0, neighbour.frameHeard, r1);
  asm.load("u32", r2, r0, neighbour.activity);
  asm.compute(r2, "add", 1);
  asm.store("u32", r0, neighbour.activity, r2);
  asm.jump(noted);
  asm.label(beat);
  asm.store("u32", r0, neighbour.beatHeard, r1);
  asm.label(noted);
}

/** The frame's source address is at peer r7 from now on. Keeps r7 and r8. */
export function writeLearning(program: FrameProgram, how: "captured" | "received"): void {
  const { asm } = program;
  program.loadStack(r1, stack.source, "u64");
  asm.jumpIf(r1, "&", 1, "learned");
  program.lookup("macs", stack.source, "new");
  asm.load("u32", r1, r0, mac.owner);
  asm.load("u32", r2, r0, mac.seen);
  program.loadStack(r4, stack.now);
  asm.set(r3, r4, 32);
  asm.compute(r3, "subtract", r2, 32);
  asm.compute(r3, "add", aheadTicksMax, 32);
  asm.jumpIf(r1, "==", r7, "refresh", 32);
  if (how === "captured") {
    asm.jumpIf(r3, "<", holdDownTicks + aheadTicksMax, program.dropped("macConflict"), 32);
  }
  asm.store("u32", r0, mac.owner, r7);
  asm.store("u32", r0, mac.seen, r4);
  asm.jump("learned");
  asm.label("refresh");
  asm.jumpIf(r3, "<", refreshTicks + aheadTicksMax, "learned", 32);
  asm.store("u32", r0, mac.seen, r4);
  asm.jump("learned");

  asm.label("new");
  program.storeStack(stack.macEntry + mac.owner, r7);
  program.loadStack(r1, stack.now);
  program.storeStack(stack.macEntry + mac.seen, r1);
  asm.map(r1, "macs");
  asm.address(r2, fp, stack.source);
  asm.address(r3, fp, stack.macEntry);
  asm.set(r4, 0);
  asm.call("mapUpdate");
  asm.label("learned");
}

/** VNI := frames of r7 for the peer in `destination`, which is lost. */
function composeVni(program: FrameProgram, destination: Register): void {
  program.asm.compute(destination, "shiftLeft", shortIdBits);
  program.asm.compute(destination, "or", r7);
  program.storeStack(stack.vni, destination);
}

/** Ends with the frame, which has been measured, on its way to the next hop of r8. */
export function writeForward(program: FrameProgram, from: Origin): void {
  const { asm } = program;
  if (from === "container") {
    asm.set(r1, r8);
    composeVni(program, r1);
  }
  program.lookupIndex("routes", r8, program.dropped("noRoute"));
  asm.load("u16", r1, r0, route.kind);
  asm.jumpIf(r1, "==", routeKind.sleeve, "to sleeve");
  asm.jumpIf(r1, "!=", routeKind.tunnel, program.dropped("noRoute"));
  asm.load("u16", r7, r0, route.neighbour);
  program.lookupIndex("neighbours", r7, program.dropped("noRoute"));
  asm.load("u32", r1, r0, neighbour.present);
  asm.jumpIf(r1, "==", 0, program.dropped("noRoute"));
  program.noteSlot();
  if (from === "container") {
    writeSizeCheck(program, "to sleeve");
    asm.jumpIf(r7, "!=", r8, "by tunnel");
    asm.load("u32", r7, r0, neighbour.lane);
    asm.jumpIf(r7, "==", 0, "by tunnel");
    countSent(program, from);
    program.setMark(0);
    program.loadFrame(r1, frame.device);
    asm.jumpIf(r1, "==", r7, "passed");
    program.setMark(lanedFlag);
    asm.set(r1, r7);
    program.sendBy();
  } else {
    writeReturnCheck(program, program.dropped("wouldReturn"));
    writeSizeCheck(program, "to sleeve");
  }
  asm.label("by tunnel");
  asm.load("u32", r8, r0, neighbour.device);
  setTunnelKeyOf(program);
  asm.jumpIf(r0, "!=", 0, program.dropped("encapsulation"));
  countSent(program, from);
  writeLeaving(program, from);

  asm.label("to sleeve");
  program.count("handedOverFrames");
  program.loadStack(r1, stack.vni);
  asm.compute(r1, "or", handoverFlag);
  program.setMark(r1);
  program.loadStack(r1, stack.handover);
  program.sendBy();
}

/**
 * Goes to `returns` when the neighbour at r0 is where the frame came from: peers whose views disagree
 * for a moment must not bounce frames. Others may be behind the same address, at other ports of it.
 */
function writeReturnCheck(program: FrameProgram, returns: string): void {
  const { asm } = program;
  const goesOn = program.label("goes on");
  asm.load("u32", r1, r0, neighbour.remote);
  program.loadStack(r2, stack.outerSource);
  asm.jumpIf(r1, "!=", r2, goesOn);
  asm.load("u32", r1, r0, neighbour.device);
  program.loadStack(r2, stack.arrivedBy);
  asm.jumpIf(r1, "==", r2, returns);
  asm.label(goesOn);
}

/** Goes to `tooLong` for a frame too long for the tunnel to the neighbour at r0, which stays. */
function writeSizeCheck(program: FrameProgram, tooLong: string): void {
  const { asm } = program;
  const fits = program.label("fits");
  asm.load("u32", r1, r0, neighbour.longest);
  asm.jumpIf(r1, "==", 0, fits);
  program.loadStack(r2, stack.length);
  asm.jumpIf(r2, ">", r1, tooLong);
  asm.label(fits);
}

function countSent(program: FrameProgram, from: Origin): void {
  if (from === "container") {
    program.count("sentFrames");
    program.count("sentBytes", true);
  } else {
    program.count("relayedFrames");
  }
  program.countTraffic("sent");
}

/** Sets the tunnel key by the neighbour at r0 and the VNI on the stack; r0 = the helper's result. */
export function setTunnelKeyOf(program: FrameProgram): void {
  program.asm.load("u32", r1, r0, neighbour.remote);
  program.asm.load("u32", r2, r0, neighbour.local);
  program.setTunnelKey();
}

/** Ends with the frame, whose tunnel key is set, leaving by VXLAN device r8. */
export function writeLeaving(program: FrameProgram, from: Origin): void {
  const { asm } = program;
  if (from === "container") {
    // At the uplink on its way out: when that is the device, nothing is left to do.
    program.setMark(0);
    program.loadFrame(r1, frame.device);
    asm.jumpIf(r1, "==", r8, "passed");
  }
  program.setMark(tunnelledFlag);
  asm.set(r1, r8);
  program.sendBy();
}

/**
 * Sends the frame, which has been measured, to everybody in the tree of r7. A frame of a container is
 * on its way to the last of them when this goes on to "forward"; any other one is still here when this
 * goes on to "deliver".
 *
 * How many are left is compared by order alone: before Linux 6.8 the kernel learns no bound of a
 * number from its not being 0, and would take the place in the tree for one before its beginning.
 */
export function writeFlood(program: FrameProgram, from: Origin): void {
  const { asm } = program;
  const keepsLast = from === "container";
  const done = keepsLast ? "dropped" : "deliver";
  program.lookupIndex("routes", r7, done);
  asm.load("u16", r8, r0, route.floods);
  asm.jumpIf(r8, "<", 1, done);
  asm.jumpIf(r8, ">", floodMax, done);
  program.lookupIndex("trees", r7, done);
  program.storeStack(stack.tree, r0, "u64");
  program.count("floodedFrames");

  asm.label("next");
  if (!keepsLast) asm.jumpIf(r8, "<", 1, done);
  asm.compute(r8, "subtract", 1);
  program.loadStack(r1, stack.tree, "u64");
  asm.set(r2, r8);
  asm.compute(r2, "shiftLeft", 1);
  asm.compute(r1, "add", r2);
  asm.load("u16", r1, r1, 0);
  if (keepsLast) {
    asm.jumpIf(r8, ">=", 1, "copy");
    asm.set(r8, r1);
    asm.jump("forward");
    asm.label("copy");
  }
  writeCopy(program, from);
  asm.jump("next");
}

/** Sends a copy of the frame to neighbour r1; goes on to "next" when it cannot. */
function writeCopy(program: FrameProgram, from: Origin): void {
  const { asm } = program;
  program.storeStack(stack.hop, r1);
  asm.set(r2, r1);
  composeVni(program, r2);
  program.lookupIndex("routes", r1, "next");
  asm.load("u16", r1, r0, route.kind);
  asm.jumpIf(r1, "==", routeKind.sleeve, "copy to sleeve");
  asm.jumpIf(r1, "!=", routeKind.tunnel, "next");
  asm.load("u16", r1, r0, route.neighbour);
  program.lookupIndex("neighbours", r1, "next");
  asm.load("u32", r1, r0, neighbour.present);
  asm.jumpIf(r1, "==", 0, "next");
  program.noteSlot();
  if (from !== "container") writeReturnCheck(program, "next");
  writeSizeCheck(program, "copy to sleeve");
  if (from === "container") {
    program.loadStack(r1, stack.hop);
    program.loadStack(r2, stack.index);
    asm.jumpIf(r1, "!=", r2, "copy by tunnel");
    asm.load("u32", r1, r0, neighbour.lane);
    asm.jumpIf(r1, "==", 0, "copy by tunnel");
    program.storeStack(stack.device, r1);
    program.setMark(lanedFlag);
    asm.jump("copy leaves");
  }
  asm.label("copy by tunnel");
  asm.load("u32", r1, r0, neighbour.device);
  program.storeStack(stack.device, r1);
  setTunnelKeyOf(program);
  asm.jumpIf(r0, "!=", 0, "next");
  program.setMark(tunnelledFlag);
  asm.label("copy leaves");
  countSent(program, from);
  program.loadStack(r2, stack.device);
  program.sendCopy();
  asm.jump("next");

  asm.label("copy to sleeve");
  program.count("handedOverFrames");
  program.loadStack(r1, stack.vni);
  asm.compute(r1, "or", handoverFlag);
  program.setMark(r1);
  program.loadStack(r2, stack.handover);
  program.sendCopy();
}
