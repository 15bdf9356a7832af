/** A positive number as 0.`digits` × 10^`point`, without leading noughts; nought has no digits. */
export interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/** Every digit of the exact value: a few dozen for most numbers, a thousand for tiny ones. */
export function exactDecimal(float: number): Decimal {
  const [mantissa, exponent] = binaryParts(float);
  if (exponent >= 0) {
    const digits = (mantissa << BigInt(exponent)).toString();
    return trimmed(digits, digits.length);
  }
  // m / 2^k is m·5^k / 10^k.
  const digits = (mantissa * 5n ** BigInt(-exponent)).toString();
  return trimmed(digits, digits.length + exponent);
}

/** The fewest digits that read back as the same number. */
export function shortestDecimal(float: number): Decimal {
  const [mantissa = "", exponent = ""] = float.toExponential().split("e");
  return trimmed(mantissa.replace(".", ""), Number(exponent) + 1);
}

/** The first `count` digits, halves rounded to even. */
export function roundDecimal({ digits, point }: Decimal, count: number): Decimal {
  if (count < 0) return { digits: "", point };
  if (count >= digits.length) return { digits, point };
  const kept = digits.slice(0, count);
  if (!roundsUp(kept, digits.slice(count))) return trimmed(kept, point);
  const raised = (BigInt(`0${kept}`) + 1n).toString().padStart(count, "0");
  return trimmed(raised, point + raised.length - count);
}

function roundsUp(kept: string, rest: string): boolean {
  if (rest[0] !== "5") return rest[0]! > "5";
  const exactHalf = /^50*$/.test(rest);
  return !exactHalf || Number(kept.at(-1) ?? "0") % 2 === 1;
}

function trimmed(digits: string, point: number): Decimal {
  const significant = digits.replace(/0+$/, "");
  const lead = /^0*/.exec(significant)![0].length;
  return { digits: significant.slice(lead), point: significant === "" ? 0 : point - lead };
}

/** `float` = mantissa × 2^exponent. */
function binaryParts(float: number): [mantissa: bigint, exponent: number] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, float);
  const bits = view.getBigUint64(0);
  const fraction = bits & (2n ** 52n - 1n);
  const biased = Number((bits >> 52n) & 0x7ffn);
  return biased === 0 ? [fraction, -1074] : [fraction | (2n ** 52n), biased - 1075];
}
