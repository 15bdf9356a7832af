import {
  createMap,
  loadProgram,
  mapById,
  mapInformation,
  mapType,
  programInformation,
  raiseLockedMemoryLimit,
  testRunProgram,
} from "../../../../ffi/bpf.ts";
import { closeDescriptor } from "../../../../ffi/descriptor.ts";
import { isSystemError } from "../../../../ffi/system-error.ts";
import { Assembler, fp, link, r0, r2, r3, r4 } from "./assembler.ts";
import { type KernelTraits, tunnelKey } from "./frame-program.ts";
import { assembleProgram, type ProgramKind, programKinds } from "./programs.ts";
import { TableSet, tableNames } from "./table-set.ts";
import { settings, type TableName, tables } from "./tables.ts";

/** No helper that we call asks for more. */
const licence = "Apache-2.0";

/** What a program is called in the kernel; at most 15 characters. */
export function programName(kind: ProgramKind): string {
  return `weave_${kind}`;
}

/** The programs as loaded, with the tables by which they decide. */
export class ProgramSet {
  readonly tables: TableSet;
  readonly #descriptors: ReadonlyMap<ProgramKind, number>;

  private constructor(tables: TableSet, descriptors: ReadonlyMap<ProgramKind, number>) {
    this.tables = tables;
    this.#descriptors = descriptors;
  }

  /** Loads programs for these tables, which are taken over. @throws SystemError */
  static load(tables: TableSet): ProgramSet {
    const loaded = new Map<ProgramKind, number>();
    try {
      const traits = kernelTraits();
      for (const kind of programKinds) {
        const program = link(assembleProgram(kind, traits), tables.descriptors);
        loaded.set(kind, loadProgram(programName(kind), program, licence));
      }
      return new ProgramSet(tables, loaded);
    } catch (error) {
      for (const descriptor of loaded.values()) closeDescriptor(descriptor);
      tables.close();
      throw error;
    }
  }

  program(kind: ProgramKind): { readonly descriptor: number; readonly name: string } {
    return { descriptor: this.#descriptors.get(kind)!, name: programName(kind) };
  }

  /** Programs and tables stay where programs sit. */
  close(): void {
    for (const descriptor of this.#descriptors.values()) closeDescriptor(descriptor);
    this.tables.close();
  }
}

/**
 * The tables of a program that sits somewhere already; `undefined` when it has others than ours,
 * because another version of this program made them.
 *
 * @throws SystemError
 */
export function tablesOf(program: number): TableSet | undefined {
  const found = new Map<string, number>();
  for (const id of programInformation(program).mapIds) {
    const descriptor = mapById(id);
    const { name } = mapInformation(descriptor);
    if (found.has(name)) closeDescriptor(descriptor);
    else found.set(name, descriptor);
  }
  if (tableNames.every((name) => fits(found.get(name), name)) && found.size === tableNames.length) {
    const set = new TableSet(Object.fromEntries(found) as Record<TableName, number>);
    if (set.layoutVersion === settings.layoutVersion) return set;
  }
  for (const descriptor of found.values()) closeDescriptor(descriptor);
  return undefined;
}

function fits(descriptor: number | undefined, name: TableName): boolean {
  if (descriptor === undefined) return false;
  const { type, keyBytes, valueBytes, entriesMax } = mapInformation(descriptor);
  const wanted = tables[name];
  return (
    type === wanted.type &&
    keyBytes === wanted.keyBytes &&
    valueBytes === wanted.valueBytes &&
    entriesMax === wanted.entriesMax
  );
}

/** Tries what the kernel can do. @throws SystemError when it lets us load nothing at all */
export function kernelTraits(): KernelTraits {
  return {
    coarseClock: loads((asm) => asm.call("ktimeGetCoarseNs")),
    tunnelKeyBytes: takesLongTunnelKey() ? tunnelKey.bytes : tunnelKey.shortBytes,
  };
}

/** Since Linux 5.19 the key has a source address at its end. */
function takesLongTunnelKey(): boolean {
  const asm = new Assembler();
  for (let at = -48; at < 0; at += 8) asm.store("u64", fp, at, 0);
  asm.address(r2, fp, -48);
  asm.set(r3, tunnelKey.bytes);
  asm.set(r4, 0);
  asm.call("setTunnelKey");
  asm.exit();
  const program = loadProgram("weave_probe", link(asm.assemble(), {}), licence);
  try {
    const ethernetFrame = new Uint8Array(new ArrayBuffer(64));
    return testRunProgram(program, ethernetFrame).verdict === 0;
  } finally {
    closeDescriptor(program);
  }
}

function loads(write: (asm: Assembler) => void): boolean {
  const asm = new Assembler();
  write(asm);
  asm.set(r0, 0);
  asm.exit();
  try {
    closeDescriptor(loadProgram("weave_probe", link(asm.assemble(), {}), licence));
    return true;
  } catch (error) {
    if (isSystemError(error, "EINVAL")) return false;
    throw error;
  }
}

/** Sees to it that tables can be made at all. @throws SystemError */
export function prepareForTables(): void {
  const small = { type: mapType.array, keyBytes: 4, valueBytes: 4, entriesMax: 1 };
  const make = (): void => closeDescriptor(createMap("weave_probe", small));
  try {
    make();
  } catch (error) {
    if (!isSystemError(error, "EPERM")) throw error;
    // Before Linux 5.11 tables count as locked memory of the process.
    raiseLockedMemoryLimit();
    make();
  }
}
