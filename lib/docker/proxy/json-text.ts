import { WeaveError } from "../../base/errors.ts";
import { type JsonMember, jsonItems, jsonMembers, wholeJson } from "./json-scan.ts";

/**
 * JSON that is edited as the text it is, so that what nobody touches stays as it was written:
 * numbers of 64 bits, the order of members, unknown ones.
 *
 *   {"Image":"bb", "HostConfig": {"MemorySwap":9007199254740993}, …}
 *    └─key─┘└text┘                └─ text of a member, read as an object of its own when asked
 */
export class JsonObject {
  /** In the order of the text. */
  readonly #members: readonly JsonMember[];

  private constructor(members: readonly JsonMember[]) {
    this.#members = members;
  }

  /** @throws WeaveError `JSON_SYNTAX`, `JSON_TYPE` for a value that is no object */
  static parse(text: string, field = "the body"): JsonObject {
    const whole = wholeJson(text);
    if (!whole.startsWith("{")) throw typeError(field, "an object", typeOf(whole));
    return new JsonObject(jsonMembers(whole, 0));
  }

  /**
   * The text of a member's value; `undefined` when it is missing or null. As in Go the key counts
   * whatever its case, and the last one where there are several.
   */
  text(key: string): string | undefined {
    const found = this.#find(key)?.text;
    return found === "null" ? undefined : found;
  }

  /** Whether there is such a member, be it null. */
  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /** Empty when it is missing or null. @throws WeaveError `JSON_TYPE` */
  string(key: string): string {
    return stringOf(key, this.text(key));
  }

  /** Of a table, whose keys are not names of fields: their case counts. @throws WeaveError `JSON_TYPE` */
  entry(key: string): string {
    const text = this.#members.findLast((member) => member.key === key)?.text;
    return stringOf(key, text === "null" ? undefined : text);
  }

  /** `undefined` when it is missing or null. @throws WeaveError `JSON_TYPE` */
  strings(key: string): readonly string[] | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value)) throw typeError(key, "an array of strings", typeOf(text));
    const strings = value.filter((item) => typeof item === "string");
    if (strings.length === value.length) return strings;
    const other = JSON.stringify(value.find((item) => typeof item !== "string"));
    throw typeError(key, "an array of strings", `an array with ${typeOf(other)}`);
  }

  /** Words that may also be written as one string. @throws WeaveError `JSON_TYPE` */
  words(key: string): readonly string[] | undefined {
    return this.text(key)?.startsWith('"') ? [this.string(key)] : this.strings(key);
  }

  /** Empty when it is missing or null. @throws WeaveError `JSON_TYPE` */
  object(key: string): JsonObject {
    const text = this.text(key);
    return text === undefined ? new JsonObject([]) : JsonObject.parse(text, key);
  }

  /** `undefined` when it is missing or null: its items as they are written. @throws WeaveError `JSON_TYPE` */
  items(key: string): readonly string[] | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    if (!text.startsWith("[")) throw typeError(key, "an array", typeOf(text));
    return jsonItems(text);
  }

  /** @param text JSON as well */
  withText(key: string, text: string): JsonObject {
    const found = this.#find(key);
    if (found === undefined) {
      return new JsonObject([...this.#members, { key, keyText: JSON.stringify(key), text }]);
    }
    const changed = this.#members.map((each) => (each === found ? { ...each, text } : each));
    return new JsonObject(changed);
  }

  with(key: string, value: string | number | readonly string[] | JsonObject): JsonObject {
    return this.withText(key, value instanceof JsonObject ? `${value}` : JSON.stringify(value));
  }

  toString(): string {
    return `{${this.#members.map(({ keyText, text }) => `${keyText}:${text}`).join(",")}}`;
  }

  #find(key: string): JsonMember | undefined {
    const lower = key.toLowerCase();
    return this.#members.findLast((member) => member.key.toLowerCase() === lower);
  }
}

function stringOf(field: string, text: string | undefined): string {
  const value: unknown = text === undefined ? "" : JSON.parse(text);
  if (typeof value !== "string") throw typeError(field, "a string", typeOf(text ?? ""));
  return value;
}

function typeOf(text: string): string {
  if (text.startsWith("{")) return "an object";
  if (text.startsWith("[")) return "an array";
  if (text.startsWith('"')) return "a string";
  if (/^[tf]/.test(text)) return "a boolean";
  return text.startsWith("n") ? "null" : "a number";
}

function typeError(field: string, expected: string, actual: string): WeaveError {
  return new WeaveError("JSON_TYPE", `${field} should be ${expected}, and is ${actual}`);
}
