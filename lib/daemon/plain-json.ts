/**
 * Plain data as JSON, with what JSON has no form for: `{"bigint": "12"}`, `{"bytes": "AAE="}`.
 * Objects of ours have no single member of these names.
 */
export function toPlainJson(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) => {
    if (typeof value === "bigint") return { bigint: value.toString() };
    if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("base64") };
    return value;
  });
}

/** @throws SyntaxError */
export function fromPlainJson(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || Object.keys(value).length !== 1)
      return value;
    if ("bigint" in value && typeof value.bigint === "string") return BigInt(value.bigint);
    if ("bytes" in value && typeof value.bytes === "string") {
      return new Uint8Array(Buffer.from(value.bytes, "base64"));
    }
    return value;
  });
}
