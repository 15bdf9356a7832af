import {
  type Assembler,
  fp,
  type Register,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
  r9,
} from "../../bpf/assembler.ts";
import type { MemorySize } from "../../bpf/opcodes.ts";
import { frame, stack, tunnelKey } from "./frame-memory.ts";
import { type CounterName, counterAt, neighbour, type TableName, traffic } from "./tables.ts";

const zeroChecksum = 2;
const dontFragment = 4;
const timeToLive = 64;

/** Next program or, when there is none, on its way: foreign programs behind ours still see it. */
const passVerdict = -1;
const dropVerdict = 2;

/** How a program leaves the frame. A test looks at what would be done instead of doing it. */
export interface Actions {
  /** Ends with r0 as verdict. */
  end(program: Assembler): void;
  /** Ends with the frame at device r1, in the direction r2. */
  redirect(program: Assembler): void;
  /** Sends a copy of frame r1 to device r2, in the direction r3; r6–r9 must outlast it. */
  copy(program: Assembler): void;
}

export const realActions: Actions = {
  end: (program) => program.exit(),
  redirect: (program) => {
    program.call("redirect");
    program.exit();
  },
  copy: (program) => program.call("cloneRedirect"),
};

/** The pieces of which programs consist, on top of an assembler. */
export class FrameProgram {
  readonly asm: Assembler;
  readonly #actions: Actions;
  readonly #drops = new Set<CounterName>();
  #labels = 0;

  constructor(asm: Assembler, actions: Actions) {
    this.asm = asm;
    this.#actions = actions;
  }

  /** A label that no other piece has. */
  label(hint: string): string {
    this.#labels++;
    return `${hint} ${this.#labels}`;
  }

  /** r6, r9 and what the settings say. */
  begin(settings: { self: number; uplink: number; handover: number }): void {
    const { asm } = this;
    asm.set(r6, r1);
    asm.set(r1, 0);
    this.lookupIndex("counters", r1, "abandoned");
    asm.set(r9, r0);
    asm.set(r1, 0);
    this.lookupIndex("settings", r1, "abandoned");
    for (const [at, field] of [
      [stack.self, settings.self],
      [stack.uplink, settings.uplink],
      [stack.handover, settings.handover],
    ] as const) {
      asm.load("u32", r1, r0, field);
      asm.store("u32", fp, at, r1);
    }
  }

  /** What all paths end in; comes after everything else. */
  finish(): void {
    const { asm } = this;
    for (const reason of this.#drops) {
      asm.label(`drop ${reason}`);
      this.count(reason);
      asm.jump("dropped");
    }
    asm.label("dropped");
    asm.set(r0, dropVerdict);
    this.#actions.end(asm);
    asm.label("passed");
    asm.set(r0, passVerdict);
    this.#actions.end(asm);
    asm.label("abandoned");
    asm.set(r0, dropVerdict);
    asm.exit();
  }

  /** The label at which the frame is dropped for this reason. */
  dropped(reason: CounterName): string {
    this.#drops.add(reason);
    return `drop ${reason}`;
  }

  /** Adds to a counter of this processor; only r1 and r2 are lost. */
  count(name: CounterName, bytes = false): void {
    const { asm } = this;
    asm.load("u64", r1, r9, counterAt(name));
    if (bytes) {
      asm.load("u32", r2, r6, frame.length);
      asm.compute(r1, "add", r2);
    } else {
      asm.compute(r1, "add", 1);
    }
    asm.store("u64", r9, counterAt(name), r1);
  }

  /** Notes where in `traffic` the neighbour at r0 counts; only r1 is lost. */
  noteSlot(): void {
    this.asm.load("u32", r1, r0, neighbour.slot);
    this.storeStack(stack.slot, r1);
  }

  /** Adds the frame to what went to or came from the neighbour noted; r0–r5 are lost. */
  countTraffic(way: "sent" | "received"): void {
    const { asm } = this;
    const [segmented, counted] = [this.label("segmented"), this.label("counted")];
    this.lookup("traffic", stack.slot, counted);
    this.loadFrame(r1, frame.segments);
    asm.jumpIf(r1, "!=", 0, segmented);
    asm.set(r1, 1);
    asm.label(segmented);
    this.#add(traffic[way].frames);
    this.loadFrame(r1, frame.length);
    this.#add(traffic[way].octets);
    asm.label(counted);
  }

  /** r1 is added to what stands at r0; r2 is lost. */
  #add(at: number): void {
    this.asm.load("u64", r2, r0, at);
    this.asm.compute(r2, "add", r1);
    this.asm.store("u64", r0, at, r2);
  }

  loadFrame(destination: Register, field: number): void {
    this.asm.load("u32", destination, r6, field);
  }

  loadStack(destination: Register, at: number, size: MemorySize = "u32"): void {
    this.asm.load(size, destination, fp, at);
  }

  storeStack(at: number, source: Register | number, size: MemorySize = "u32"): void {
    this.asm.store(size, fp, at, source);
  }

  /** r0 = the entry whose key lies on the stack, or on to `missing`. */
  lookup(table: TableName, keyAt: number, missing: string): void {
    const { asm } = this;
    asm.map(r1, table);
    asm.address(r2, fp, keyAt);
    asm.call("mapLookup");
    asm.jumpIf(r0, "==", 0, missing);
  }

  lookupIndex(table: TableName, index: Register, missing: string): void {
    this.storeStack(stack.index, index);
    this.lookup(table, stack.index, missing);
  }

  /** Puts the time on the stack, and leaves it in r0. */
  readClock(shift: number): void {
    const { asm } = this;
    asm.call("ktimeGetCoarseNs");
    asm.compute(r0, "shiftRight", shift);
    this.storeStack(stack.now, r0);
  }

  /** Puts what the tunnel says of a received frame on the stack, or goes on to `missing`. */
  readTunnelKey(missing: string): void {
    const { asm } = this;
    this.#clearTunnelKey();
    asm.set(r1, r6);
    asm.address(r2, fp, stack.tunnelKey);
    asm.set(r3, tunnelKey.bytes);
    asm.set(r4, 0);
    asm.call("getTunnelKey");
    asm.jumpIf(r0, "!=", 0, missing);
  }

  /**
   * Tells the tunnel where the frame goes: VNI from the stack, addresses in r1 and r2, which like
   * r0–r5 are lost.
   */
  setTunnelKey(): void {
    const { asm } = this;
    this.#clearTunnelKey();
    this.storeStack(stack.tunnelKey + tunnelKey.remote, r1);
    this.storeStack(stack.tunnelKey + tunnelKey.local, r2);
    this.loadStack(r1, stack.vni);
    this.storeStack(stack.tunnelKey + tunnelKey.vni, r1);
    this.storeStack(stack.tunnelKey + tunnelKey.timeToLive, timeToLive, "u8");
    asm.set(r1, r6);
    asm.address(r2, fp, stack.tunnelKey);
    asm.set(r3, tunnelKey.bytes);
    asm.set(r4, zeroChecksum | dontFragment);
    asm.call("setTunnelKey");
  }

  #clearTunnelKey(): void {
    for (let at = 0; at + 8 <= tunnelKey.bytes; at += 8) {
      this.storeStack(stack.tunnelKey + at, 0, "u64");
    }
    this.storeStack(stack.tunnelKey + tunnelKey.bytes - 4, 0);
  }

  /** Ends with the frame leaving by device r1. */
  sendBy(): void {
    this.asm.set(r2, 0);
    this.#actions.redirect(this.asm);
  }

  /** Ends with the frame arriving at device r1. */
  arriveAt(): void {
    this.asm.set(r2, 1);
    this.#actions.redirect(this.asm);
  }

  /** A copy of the frame leaves by device r2. */
  sendCopy(): void {
    this.asm.set(r1, r6);
    this.asm.set(r3, 0);
    this.#actions.copy(this.asm);
  }

  setMark(value: Register | number): void {
    const { asm } = this;
    if (typeof value === "number") {
      asm.set(r1, value);
      asm.store("u32", r6, frame.mark, r1);
    } else {
      asm.store("u32", r6, frame.mark, value);
    }
  }
}
