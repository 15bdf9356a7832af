import { loadProgram } from "../../ffi/bpf/programs.ts";
import { closeDescriptor } from "../../ffi/descriptor.ts";
import { type Ipv4, type Ipv4Cidr, parseIpv4Cidr } from "../base/ip.ts";
import { etherType } from "../wire/ethernet.ts";
import {
  Assembler,
  type Assembly,
  fp,
  link,
  type Register,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
} from "./bpf/assembler.ts";
import { type Hooks, openHooks } from "./bpf/hooks.ts";
import type { Netlink } from "./netlink/conversation.ts";

/**
 * Keeps what is at a port within one subnet, whatever else the bridge and the network behind it
 * carry. Programs at both edges of the port decide, so the container can neither see nor change
 * them, and they go with the port:
 *
 *             from the container                          to the container
 *   IPv4      source in the subnet; destination in it,    source in the subnet
 *             a group (224.0.0.0/4) or 255.255.255.255
 *   ARP       sender in the subnet, or 0.0.0.0 for a      the same
 *             probe; target in the subnet
 *   others    dropped: they have no address that would tell where they belong
 */
export type GuardedDirection = "from" | "to";

const programName = { from: "weave_from", to: "weave_to" } as const;
const edge = { from: "ingress", to: "egress" } as const;
const licence = "Apache-2.0";

/** Octets of a frame. An ARP packet for IPv4 has 28, behind an Ethernet header of 14. */
const at = { etherType: 12, ipSource: 26, arpSender: 28 } as const;
/** Where the target's address stands behind the sender's. */
const arpTargetBehindSender = 10;

/** Below the end of the stack. */
const stackAt = -16;
const verdict = { next: -1, drop: 2 } as const;
const groups = parseIpv4Cidr("224.0.0.0/4");

/**
 * Puts the guard at the port with this index in the thread's network namespace, in the place of one
 * that it has.
 *
 * @param hooks default: by what the kernel has
 * @throws SystemError when the kernel takes no such programs
 */
export function guardSubnet(
  netlink: Netlink,
  port: number,
  subnet: Ipv4Cidr,
  hooks: Hooks = openHooks(netlink),
): void {
  for (const direction of ["from", "to"] as const) {
    const name = programName[direction];
    const program = loadProgram(name, link(assembleGuard(direction, subnet), {}), licence);
    try {
      hooks.put({ device: port, edge: edge[direction] }, { descriptor: program, name });
    } finally {
      closeDescriptor(program);
    }
  }
}

/** Whether both programs sit at the port. @throws SystemError */
export function isGuarded(
  netlink: Netlink,
  port: number,
  hooks: Hooks = openHooks(netlink),
): boolean {
  return (["from", "to"] as const).every((direction) => {
    const found = hooks.find({ device: port, edge: edge[direction] }, programName[direction]);
    if (found !== undefined) closeDescriptor(found);
    return found !== undefined;
  });
}

/** One of the two programs. Begins with the frame in r1 and ends with a verdict in r0. */
export function assembleGuard(direction: GuardedDirection, subnet: Ipv4Cidr): Assembly {
  const asm = new Assembler();
  asm.set(r6, r1);
  loadFrame(asm, at.etherType, 2);
  asm.load("u16", r1, fp, stackAt);
  asm.swap(r1, 16);
  asm.jumpIf(r1, "==", etherType.ipv4, "ipv4");
  asm.jumpIf(r1, "!=", etherType.arp, "drop");

  loadFrame(asm, at.arpSender, arpTargetBehindSender + 4);
  loadAddress(asm, r1, arpTargetBehindSender);
  leaveUnless(asm, r1, subnet, "drop");
  loadAddress(asm, r1, 0);
  asm.jumpIf(r1, "==", 0, "next");
  leaveUnless(asm, r1, subnet, "drop");
  asm.jump("next");

  asm.label("ipv4");
  loadFrame(asm, at.ipSource, 8);
  loadAddress(asm, r1, 0);
  leaveUnless(asm, r1, subnet, "drop");
  if (direction === "from") writeDestination(asm, subnet);

  asm.label("next");
  asm.set(r0, verdict.next);
  asm.exit();
  asm.label("drop");
  asm.set(r0, verdict.drop);
  asm.exit();
  return asm.assemble();
}

/** Goes on when the destination of an IPv4 packet on the stack is one for this subnet. */
function writeDestination(asm: Assembler, subnet: Ipv4Cidr): void {
  loadAddress(asm, r1, 4);
  leaveUnless(asm, r1, subnet, "elsewhere");
  asm.jump("next");
  asm.label("elsewhere");
  loadAddress(asm, r1, 4);
  asm.set(r2, signed(0xffff_ffff), 32);
  asm.jumpIf(r1, "==", r2, "next");
  leaveUnless(asm, r1, groups, "drop");
}

/** Copies octets of the frame to the stack; a frame that ends before is dropped. */
function loadFrame(asm: Assembler, offset: number, octets: number): void {
  for (const slot of [stackAt, stackAt + 8]) asm.store("u64", fp, slot, 0);
  asm.set(r1, r6);
  asm.set(r2, offset);
  asm.address(r3, fp, stackAt);
  asm.set(r4, octets);
  asm.call("loadBytes");
  asm.jumpIf(r0, "!=", 0, "drop");
}

/** An address on the stack as a number. */
function loadAddress(asm: Assembler, destination: Register, offset: number): void {
  // Twice two octets: at an odd half-word the stack may not be read as a whole.
  asm.load("u16", destination, fp, stackAt + offset);
  asm.swap(destination, 16);
  asm.compute(destination, "shiftLeft", 16);
  asm.load("u16", r3, fp, stackAt + offset + 2);
  asm.swap(r3, 16);
  asm.compute(destination, "or", r3);
}

/** Goes to `label` for an address outside the subnet. Both registers hold 32 bits, without sign. */
function leaveUnless(asm: Assembler, address: Register, subnet: Ipv4Cidr, label: string): void {
  const mask = subnet.prefix === 0 ? 0 : signed(0xffff_ffff << (32 - subnet.prefix));
  asm.compute(address, "and", mask, 32);
  asm.set(r2, signed(subnet.address & mask), 32);
  asm.jumpIf(address, "!=", r2, label);
}

/** As an instruction has it. */
function signed(value: Ipv4): number {
  return value | 0;
}
