import { mapById, mapInformation } from "../../../../ffi/bpf/maps.ts";
import { loadProgram, programInformation, testRunProgram } from "../../../../ffi/bpf/programs.ts";
import { closeDescriptor } from "../../../../ffi/descriptor.ts";
import { Assembler, fp, link, r2, r3, r4 } from "../../bpf/assembler.ts";
import { tunnelKey } from "./frame-memory.ts";
import { assembleProgram, type ProgramKind, programKinds } from "./programs.ts";
import { TableSet } from "./table-set.ts";
import { settings, type TableName, tableNames, tables } from "./tables.ts";

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
      for (const kind of programKinds) {
        const program = link(assembleProgram(kind), tables.descriptors);
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

/**
 * Whether the kernel takes our programs: it knows the source address in a tunnel's key, which of all
 * that they need came last (Linux 5.19).
 *
 * @throws SystemError when it lets us load nothing at all
 */
export function takesPrograms(): boolean {
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
