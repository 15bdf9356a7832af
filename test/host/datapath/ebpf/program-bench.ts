import { createMap, mapLookup, mapType, mapUpdate } from "../../../../ffi/bpf/maps.ts";
import { loadProgram, testRunProgram } from "../../../../ffi/bpf/programs.ts";
import { closeDescriptor } from "../../../../ffi/descriptor.ts";
import { Assembler, fp, link, r0, r1, r2, r3, r4, r6 } from "../../../../lib/host/bpf/assembler.ts";
import { frame, tunnelKey } from "../../../../lib/host/datapath/ebpf/frame-memory.ts";
import type { Actions } from "../../../../lib/host/datapath/ebpf/frame-program.ts";
import { type ProgramKind, writeProgram } from "../../../../lib/host/datapath/ebpf/programs.ts";
import { TableSet } from "../../../../lib/host/datapath/ebpf/table-set.ts";

import { type CounterName, floodMax } from "../../../../lib/host/datapath/ebpf/tables.ts";

/**
 * Runs programs on frames that came from nowhere and notes what they would do with them, instead of
 * doing it: nothing leaves, so no devices are needed.
 */
export interface Tunnelled {
  readonly vni: number;
  readonly remote: number;
  readonly local: number;
}

export interface Deed {
  readonly what: "pass" | "drop" | "send" | "arrive" | "copy";
  /** Where to, unless it passes or is dropped. */
  readonly device?: number;
  /** What the tunnel was told; missing when it was told nothing. */
  readonly key?: Tunnelled;
  readonly mark: number;
}

const deedsMax = floodMax + 6;
const entryBytes = 32;
const entryAt = { what: 0, device: 4, keyed: 8, vni: 12, remote: 16, local: 20, mark: 24 } as const;
const whats = ["pass", "drop", "send", "arrive", "copy"] as const;

/** On the stack, below what the programs use. */
const saved = { device: -136, what: -140, index: -144, key: -192 } as const;

/** Index of the loopback device, at which the kernel lets frames of tests be. */
export const testDevice = 1;

export class ProgramBench {
  readonly tables = TableSet.create();
  readonly #deeds = createMap("deeds", {
    type: mapType.array,
    keyBytes: 4,
    valueBytes: entryBytes,
    entriesMax: 1 + deedsMax,
  });
  readonly #arrival = createMap("arrival", {
    type: mapType.array,
    keyBytes: 4,
    valueBytes: tunnelKey.bytes,
    entriesMax: 1,
  });
  #countedBefore: Record<CounterName, number> | undefined;
  readonly #programs = new Map<string, number>();

  /** What `kind` does with a frame; `from`: what the tunnel says of a frame that came through it. */
  run(
    kind: ProgramKind,
    octets: Uint8Array,
    options: {
      readonly from?: Tunnelled;
      readonly mark?: number;
      /** Octets of payload in each segment of a super-frame. */
      readonly segment?: number;
      /** How many those are. */
      readonly segments?: number;
      readonly repeat?: number;
    } = {},
  ): { deeds: Deed[]; frame: Uint8Array; nanoseconds: number } {
    const context = new DataView(new ArrayBuffer(192));
    context.setUint32(frame.mark, options.mark ?? 0, true);
    context.setUint32(frame.segment, options.segment ?? 0, true);
    context.setUint32(frame.segments, options.segments ?? 0, true);
    this.#forget();
    if (options.from !== undefined) this.#arrive(options.from);
    const { frame: after, nanoseconds } = testRunProgram(
      this.#program(kind, options.from !== undefined),
      octets.slice(),
      context,
      options.repeat,
    );
    return { deeds: this.#noted(), frame: after, nanoseconds };
  }

  /** Empties what tests write into, at these short ids. */
  clear(shortIds: readonly number[]): void {
    const { tables } = this;
    for (const id of shortIds) {
      tables.setNeighbour(id, undefined);
      tables.setRoute(id, undefined);
      tables.setTree(id, []);
    }
    for (const source of tables.sources) tables.setSource(source, undefined);
    for (const { mac } of tables.macs()) tables.forgetMac(mac);
    for (const mac of tables.residents) tables.setResident(mac, false);
    this.#countedBefore = tables.counters();
  }

  /** What was counted since everything was cleared. */
  counted(): Partial<Record<CounterName, number>> {
    const entries = Object.entries(this.tables.counters()) as [CounterName, number][];
    return Object.fromEntries(
      entries
        .map(([name, count]) => [name, count - (this.#countedBefore?.[name] ?? 0)] as const)
        .filter(([, count]) => count !== 0),
    );
  }

  close(): void {
    this.tables.close();
    closeDescriptor(this.#deeds);
    closeDescriptor(this.#arrival);
    for (const program of this.#programs.values()) closeDescriptor(program);
  }

  #arrive({ vni, remote, local }: Tunnelled): void {
    const key = new DataView(new ArrayBuffer(tunnelKey.bytes));
    key.setUint32(tunnelKey.vni, vni, true);
    // The kernel keeps source and destination; of a frame on its way in, the source is remote.
    key.setUint32(tunnelKey.local, remote, true);
    key.setUint32(tunnelKey.remote, local, true);
    mapUpdate(this.#arrival, numberKey(0), new Uint8Array(key.buffer));
  }

  #program(kind: ProgramKind, arrives: boolean): number {
    const name = `${kind} ${arrives}`;
    const loaded = this.#programs.get(name);
    if (loaded !== undefined) return loaded;
    const asm = new Assembler();
    if (arrives) arriveThroughTunnel(asm);
    writeProgram(asm, kind, new Notes());
    const maps = { ...this.tables.descriptors, deeds: this.#deeds, arrival: this.#arrival };
    const program = loadProgram(kind, link(asm.assemble(), maps), "Apache-2.0");
    this.#programs.set(name, program);
    return program;
  }

  #forget(): void {
    mapUpdate(this.#deeds, numberKey(0), new Uint8Array(new ArrayBuffer(entryBytes)));
  }

  #noted(): Deed[] {
    const entry = (index: number): DataView => {
      const value = new Uint8Array(new ArrayBuffer(entryBytes));
      mapLookup(this.#deeds, numberKey(index), value);
      return new DataView(value.buffer);
    };
    const count = entry(0).getUint32(0, true);
    return Array.from({ length: count }, (_, at): Deed => {
      const view = entry(1 + at);
      const field = (offset: number): number => view.getUint32(offset, true);
      const what = whats[field(entryAt.what)]!;
      return {
        what,
        ...(what !== "pass" && what !== "drop" && { device: field(entryAt.device) }),
        ...(field(entryAt.keyed) === 1 && {
          key: {
            vni: field(entryAt.vni),
            remote: field(entryAt.remote),
            local: field(entryAt.local),
          },
        }),
        mark: field(entryAt.mark),
      };
    });
  }
}

/** What a received frame brings with it; a program sees no difference to what was set. */
function arriveThroughTunnel(asm: Assembler): void {
  asm.set(r6, r1);
  asm.store("u32", fp, -4, 0);
  asm.map(r1, "arrival");
  asm.address(r2, fp, -4);
  asm.call("mapLookup");
  asm.jumpIf(r0, "!=", 0, "arrived");
  asm.exit();
  asm.label("arrived");
  asm.set(r2, r0);
  asm.set(r1, r6);
  asm.set(r3, tunnelKey.bytes);
  asm.set(r4, 0);
  asm.call("setTunnelKey");
  asm.set(r1, r6);
}

class Notes implements Actions {
  #labels = 0;

  end(asm: Assembler): void {
    const label = `note ${this.#labels++}`;
    asm.set(r2, 0);
    asm.jumpIf(r0, "==", -1, label);
    asm.set(r2, 1);
    asm.label(label);
    asm.set(r1, 0);
    this.#note(asm);
    asm.exit();
  }

  redirect(asm: Assembler): void {
    asm.compute(r2, "add", 2);
    this.#note(asm);
    asm.exit();
  }

  copy(asm: Assembler): void {
    asm.set(r1, r2);
    asm.set(r2, 4);
    this.#note(asm);
  }

  /** r1: device, r2: what. r0 = 0 afterwards. */
  #note(asm: Assembler): void {
    const full = `note ${this.#labels++}`;
    asm.store("u32", fp, saved.device, r1);
    asm.store("u32", fp, saved.what, r2);
    asm.store("u32", fp, saved.index, 0);
    asm.map(r1, "deeds");
    asm.address(r2, fp, saved.index);
    asm.call("mapLookup");
    asm.jumpIf(r0, "==", 0, full);
    asm.load("u32", r1, r0, 0);
    asm.compute(r1, "add", 1);
    asm.store("u32", r0, 0, r1);
    asm.store("u32", fp, saved.index, r1);
    for (let at = 0; at < 48; at += 8) asm.store("u64", fp, saved.key + at, 0);
    asm.set(r1, r6);
    asm.address(r2, fp, saved.key);
    asm.set(r3, tunnelKey.bytes);
    asm.set(r4, 0);
    asm.call("getTunnelKey");
    // The lowest bit of a negative number says nothing, its sign does.
    asm.compute(r0, "shiftRight", 63);
    asm.compute(r0, "xor", 1);
    asm.store("u32", fp, saved.key + 40, r0);
    asm.map(r1, "deeds");
    asm.address(r2, fp, saved.index);
    asm.call("mapLookup");
    asm.jumpIf(r0, "==", 0, full);
    for (const [to, from] of [
      [entryAt.what, saved.what],
      [entryAt.device, saved.device],
      [entryAt.keyed, saved.key + 40],
      [entryAt.vni, saved.key + tunnelKey.vni],
      // What is said of a frame on its way in is meant for one on its way out.
      [entryAt.remote, saved.key + tunnelKey.local],
      [entryAt.local, saved.key + tunnelKey.remote],
    ] as const) {
      asm.load("u32", r1, fp, from);
      asm.store("u32", r0, to, r1);
    }
    asm.load("u32", r1, r6, frame.mark);
    asm.store("u32", r0, entryAt.mark, r1);
    asm.label(full);
    asm.set(r0, 0);
  }
}

function numberKey(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
