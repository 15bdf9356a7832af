import type { Assembler } from "./assembler.ts";
import { type SystemCalls, standardError } from "./linux.ts";

const writeText = "writeText";

/** What a program says on standard error: sentences and parts of them. */
export class Texts {
  readonly #asm: Assembler;
  readonly #labels = new Map<string, string>();

  constructor(asm: Assembler) {
    this.#asm = asm;
  }

  /** argument1 = where `text` is, with a zero octet after it */
  address(text: string): void {
    const label = this.#labels.get(text) ?? `text${this.#labels.size}`;
    this.#labels.set(text, label);
    this.#asm.address("argument1", label);
  }

  /** Writes `text`; without it what argument1 points to, up to a zero octet. */
  write(text?: string): void {
    if (text !== undefined) this.address(text);
    this.#asm.call(writeText);
  }

  /** The routine that writes, and all texts: where nothing runs into them. */
  define(calls: SystemCalls): void {
    const asm = this.#asm;
    asm.label(writeText);
    asm.move("argument2", "argument1");
    asm.label("measure");
    asm.load(8, "argument3", "argument2", 0);
    asm.add("argument2", "argument2", 1);
    asm.jumpIf("argument3", "!=", 0, "measure");
    asm.subtractRegister("argument2", "argument1");
    asm.add("argument2", "argument2", -1);
    asm.set("argument0", standardError);
    asm.systemCall(calls.write);
    asm.return();
    for (const [text, label] of this.#labels) {
      asm.label(label);
      asm.data(new TextEncoder().encode(`${text}\0`));
    }
  }
}
