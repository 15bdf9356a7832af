import { type Format, plainFormat } from "./format.ts";
import { formatValue } from "./format-value.ts";
import { type GoValue, typeNameOf } from "./go-value.ts";
import { type BoundedText, workPerStep } from "./limits.ts";

/** Characters. As in Go, what is much larger ends the format. */
const widthMax = 1_000_000;
const workPerVerb = 4 * workPerStep;

/**
 * Go's `fmt.Fprintf`: `%[flags][width][.precision][argument index]verb`. It never fails; what is
 * wrong with a format is said in the text, like `%!d(string=x)` or `%!s(MISSING)`.
 */
export function printf(out: BoundedText, format: string, operands: readonly GoValue[]): void {
  const scan = new FormatScan(out, format, operands);
  while (scan.next());
}

/** Go's `fmt.Sprint`: a space between operands of which neither is a string. */
export function print(out: BoundedText, operands: readonly GoValue[]): void {
  operands.forEach((operand, at) => {
    const before = operands[at - 1];
    if (before !== undefined && before.kind !== "string" && operand.kind !== "string") {
      out.write(" ");
    }
    formatValue(out, operand, plainFormat);
  });
}

/** Go's `fmt.Sprintln`. */
export function println(out: BoundedText, operands: readonly GoValue[]): void {
  operands.forEach((operand, at) => {
    if (at > 0) out.write(" ");
    formatValue(out, operand, plainFormat);
  });
  out.write("\n");
}

class FormatScan {
  readonly #out: BoundedText;
  readonly #format: string;
  readonly #operands: readonly GoValue[];
  #at = 0;
  /** The operand that comes next. */
  #operand = 0;
  /** Some verb chose its operand: then left-over ones are meant. */
  #reordered = false;
  /** The verb at hand chose an operand that exists. */
  #indexGood = true;
  /** An argument index came last, so that a number cannot follow. */
  #afterIndex = false;

  constructor(out: BoundedText, format: string, operands: readonly GoValue[]) {
    this.#out = out;
    this.#format = format;
    this.#operands = operands;
  }

  /** Prints up to and with the next verb; false when the format has ended. */
  next(): boolean {
    const percent = this.#format.indexOf("%", this.#at);
    const end = percent < 0 ? this.#format.length : percent;
    this.#out.write(this.#format.slice(this.#at, end));
    if (percent < 0) {
      this.#reportExtra();
      return false;
    }
    this.#at = percent + 1;
    this.#out.spend(workPerVerb);
    this.#indexGood = true;
    this.#afterIndex = false;
    this.#directive();
    return true;
  }

  #directive(): void {
    const flags = this.#flags();
    const width = this.#width();
    const precision = this.#precision();
    if (!this.#afterIndex) this.#index();
    const code = this.#format.codePointAt(this.#at);
    if (code === undefined) {
      this.#out.write("%!(NOVERB)");
      return;
    }
    const verb = String.fromCodePoint(code);
    this.#at += verb.length;
    const shared = {
      verb,
      minus: flags.has("-") || width.negative,
      // Zeroes fill up to the left only.
      zero: flags.has("0") && !flags.has("-") && !width.negative,
      space: flags.has(" "),
      width: width.value,
      precision,
    };
    const [plus, sharp] = [flags.has("+"), flags.has("#")];
    this.#print(
      verb === "v"
        ? { ...shared, plus: false, sharp: false, named: plus, source: sharp }
        : { ...shared, plus, sharp, named: false, source: false },
    );
  }

  #print(format: Format): void {
    const operand = this.#operands[this.#operand];
    if (format.verb === "%") this.#out.write("%");
    else if (!this.#indexGood) this.#out.write(`%!${format.verb}(BADINDEX)`);
    else if (operand === undefined) this.#out.write(`%!${format.verb}(MISSING)`);
    else {
      this.#operand++;
      formatValue(this.#out, operand, format);
    }
  }

  #flags(): Set<string> {
    const flags = new Set<string>();
    for (; "#0+- ".includes(this.#format[this.#at] ?? "x"); this.#at++) {
      this.#out.spend(workPerStep);
      flags.add(this.#format[this.#at]!);
    }
    return flags;
  }

  #width(): { value: number | undefined; negative: boolean } {
    this.#index();
    if (this.#format[this.#at] === "*") {
      const value = this.#numberFromOperand();
      if (value === undefined) this.#out.write("%!(BADWIDTH)");
      return {
        value: value === undefined ? undefined : Math.abs(value),
        negative: value !== undefined && value < 0,
      };
    }
    const value = this.#number();
    if (this.#afterIndex && value !== undefined) this.#indexGood = false;
    return { value, negative: false };
  }

  #precision(): number | undefined {
    // At the very end, the point is the verb.
    if (this.#format[this.#at] !== "." || this.#at + 1 === this.#format.length) return undefined;
    this.#at++;
    if (this.#afterIndex) this.#indexGood = false;
    this.#index();
    if (this.#format[this.#at] !== "*") return this.#number() ?? 0;
    const value = this.#numberFromOperand();
    if (value !== undefined && value >= 0) return value;
    this.#out.write("%!(BADPREC)");
    return undefined;
  }

  /** `[2]`: the operand to go on with, counted from one. */
  #index(): void {
    this.#afterIndex = false;
    if (this.#format[this.#at] !== "[") return;
    this.#reordered = true;
    const close = this.#format.indexOf("]", this.#at);
    this.#out.spend((close < 0 ? this.#format.length : close) - this.#at);
    const text = close < 0 ? "" : this.#format.slice(this.#at + 1, close);
    const index = /^[0-9]{1,7}$/.test(text) ? Number(text) : undefined;
    const good = index !== undefined && index >= 1 && index <= this.#operands.length;
    this.#at = close < 0 ? this.#at + 1 : close + 1;
    this.#afterIndex = index !== undefined;
    if (good) this.#operand = index - 1;
    else this.#indexGood = false;
  }

  #number(): number | undefined {
    const digits = digitsAt(this.#format, this.#at);
    this.#out.spend(digits.length);
    this.#at += digits.length;
    if (digits === "") return undefined;
    if (Number(digits) <= widthMax) return Number(digits);
    this.#at = this.#format.length;
    return undefined;
  }

  /** `*`: a width or precision from the operands. */
  #numberFromOperand(): number | undefined {
    this.#at++;
    this.#afterIndex = false;
    const operand = this.#operands[this.#operand];
    if (operand !== undefined) this.#operand++;
    if (operand?.kind !== "int") return undefined;
    return operand.int >= -widthMax && operand.int <= widthMax ? Number(operand.int) : undefined;
  }

  #reportExtra(): void {
    const extra = this.#operands.slice(this.#operand);
    if (this.#reordered || extra.length === 0) return;
    this.#out.write("%!(EXTRA ");
    extra.forEach((operand, at) => {
      if (at > 0) this.#out.write(", ");
      if (operand.kind !== "none" && operand.kind !== "nil") {
        this.#out.write(`${typeNameOf(operand)}=`);
      }
      formatValue(this.#out, operand, plainFormat);
    });
    this.#out.write(")");
  }
}

function digitsAt(text: string, at: number): string {
  const digits = /[0-9]*/y;
  digits.lastIndex = at;
  return digits.exec(text)?.[0] ?? "";
}
