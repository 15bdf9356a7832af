import { fp, type Register, r0, r1, r2, r3, r4, r5, r6 } from "../../bpf/assembler.ts";
import { frame, stack } from "./frame-memory.ts";
import type { FrameProgram } from "./frame-program.ts";

/**
 * What programs read of a frame's headers. Fields of two octets are compared as they are loaded, and
 * not turned round: `0x0008` is the type of IPv4.
 */

const ethernetHeaderBytes = 14;

/** Puts both addresses on the stack; r1 is the frame, r3 the destination, r4 the source. */
export function readAddresses(program: FrameProgram): void {
  const { asm } = program;
  ensure(program, ethernetHeaderBytes);
  asm.load("u32", r3, r1, 0);
  asm.load("u16", r4, r1, 4);
  asm.compute(r4, "shiftLeft", 32);
  asm.compute(r3, "or", r4);
  program.storeStack(stack.destination, r3, "u64");
  asm.load("u32", r4, r1, 6);
  asm.load("u16", r5, r1, 10);
  asm.compute(r5, "shiftLeft", 32);
  asm.compute(r4, "or", r5);
  program.storeStack(stack.source, r4, "u64");
}

/** r1 = the frame, of which `bytes` octets can be read; others are lost. */
function ensure(program: FrameProgram, bytes: number): void {
  const { asm } = program;
  const there = program.label("there");
  const reach = (): void => {
    program.loadFrame(r1, frame.data);
    program.loadFrame(r2, frame.dataEnd);
    asm.address(r3, r1, bytes);
  };
  reach();
  asm.jumpIf(r3, "<=", r2, there);
  asm.set(r1, r6);
  asm.set(r2, bytes);
  asm.call("pullData");
  reach();
  asm.jumpIf(r3, ">", r2, program.dropped("malformed"));
  asm.label(there);
}

/**
 * Goes to `passed` for what the kernel says of a path that became too small for a container's
 * packet: it comes out of the device that could not send it, and goes to who had sent it.
 *
 *   Ethernet 14 | IPv4 20, protocol 1 at 23  | type 3, code 4 at 34
 *   Ethernet 14 | IPv6 40, next 58 at 20     | type 2 at 54
 */
export function passPathErrors(program: FrameProgram): void {
  const { asm } = program;
  const [six, none] = [program.label("version 6"), program.label("no path error")];
  const errorBytes = 56;
  asm.set(r1, r6);
  asm.set(r2, errorBytes);
  asm.call("pullData");
  program.loadFrame(r1, frame.data);
  program.loadFrame(r2, frame.dataEnd);
  asm.address(r3, r1, errorBytes);
  asm.jumpIf(r3, ">", r2, none);
  asm.load("u16", r2, r1, 12);
  asm.jumpIf(r2, "==", 0xdd86, six);
  asm.jumpIf(r2, "!=", 0x0008, none);
  asm.load("u8", r2, r1, 23);
  asm.jumpIf(r2, "!=", 1, none);
  asm.load("u16", r2, r1, 34);
  asm.jumpIf(r2, "==", 0x0403, "passed");
  asm.jump(none);
  asm.label(six);
  asm.load("u8", r2, r1, 20);
  asm.jumpIf(r2, "!=", 58, none);
  asm.load("u8", r2, r1, 54);
  asm.jumpIf(r2, "==", 2, "passed");
  asm.label(none);
}

/**
 * Puts on the stack how long the frame is, and of a TCP super-frame how long its segments are. Of
 * others nobody looks: they may be tunnels of containers with headers of any kind, so they count
 * as a whole. What stood for the tunnel key is lost, as are r0–r5.
 */
export function measureFrame(program: FrameProgram): void {
  const { asm } = program;
  const measured = program.label("measured");
  program.loadFrame(r1, frame.length);
  program.storeStack(stack.length, r1);
  program.loadFrame(r1, frame.segment);
  asm.jumpIf(r1, "==", 0, measured);
  measureTcpHeaders(program, measured);
  program.loadFrame(r1, frame.segment);
  asm.compute(r3, "add", r1);
  program.storeStack(stack.length, r3);
  asm.label(measured);
}

/**
 * r3 = octets before the payload of a TCP segment; goes to `other` for any other frame.
 *
 *   Ethernet 14 | IPv4, header length at 14, protocol 6 at 23 | TCP, header length at 12
 *   Ethernet 14 | IPv6 40, next 6 at 20                       | TCP
 */
function measureTcpHeaders(program: FrameProgram, other: string): void {
  const { asm } = program;
  const [six, tcp] = [program.label("TCP over version 6"), program.label("TCP")];
  const from = 12;
  const at = stack.tunnelKey;
  readBytes(program, from, 12, other);
  program.loadStack(r2, at, "u16");
  asm.jumpIf(r2, "==", 0xdd86, six);
  asm.jumpIf(r2, "!=", 0x0008, other);
  program.loadStack(r2, at + 23 - from, "u8");
  asm.jumpIf(r2, "!=", 6, other);
  program.loadStack(r3, at + 14 - from, "u8");
  asm.compute(r3, "and", 0x0f);
  asm.compute(r3, "shiftLeft", 2);
  asm.compute(r3, "add", ethernetHeaderBytes);
  asm.jump(tcp);
  asm.label(six);
  program.loadStack(r2, at + 20 - from, "u8");
  asm.jumpIf(r2, "!=", 6, other);
  asm.set(r3, ethernetHeaderBytes + 40);
  asm.label(tcp);
  program.storeStack(at + 16, r3);
  asm.compute(r3, "add", 12);
  readBytes(program, r3, 1, other);
  program.loadStack(r3, at + 16);
  program.loadStack(r2, at, "u8");
  asm.compute(r2, "shiftRight", 4);
  asm.compute(r2, "shiftLeft", 2);
  asm.compute(r3, "add", r2);
}

/** Puts octets of the frame where the tunnel key is, or goes on to `missing`. */
function readBytes(
  program: FrameProgram,
  from: Register | number,
  bytes: number,
  missing: string,
): void {
  const { asm } = program;
  asm.set(r2, from);
  asm.set(r1, r6);
  asm.address(r3, fp, stack.tunnelKey);
  asm.set(r4, bytes);
  asm.call("loadBytes");
  asm.jumpIf(r0, "!=", 0, missing);
}
