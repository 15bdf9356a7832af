/**
 * JSON as Go's `encoding/json` writes it, which is what clients of the original compare and parse:
 * `<`, `>`, `&`, U+2028 and U+2029 escaped, and 64-bit numbers in full (`bigint`).
 */
/** Escapes that Go adds to those of ECMA-404. */
const goEscapes: Record<string, string> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

function quote(text: string): string {
  return JSON.stringify(text)
    .replace(/[<>&\u2028\u2029]/g, (character) => goEscapes[character]!)
    .replaceAll("\\b", "\\u0008")
    .replaceAll("\\f", "\\u000c");
}

/** Values from outside `value`'s type (class instances, functions) are a programmer's error. */
export function goJson(value: unknown, indent = "", lead = ""): string {
  if (value === null || typeof value === "boolean" || typeof value === "number") {
    return String(value);
  }
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return quote(value);
  const inner = lead + indent;
  const [open, close, parts] = Array.isArray(value)
    ? ["[", "]", value.map((item) => goJson(item, indent, inner))]
    : ["{", "}", members(value as Record<string, unknown>, indent, inner)];
  if (parts.length === 0) return open + close;
  if (indent === "") return open + parts.join(",") + close;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${lead}${close}`;
}

function members(value: Record<string, unknown>, indent: string, inner: string): string[] {
  const colon = indent === "" ? ":" : ": ";
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => quote(key) + colon + goJson(member, indent, inner));
}
