/**
 * What a person types, from the octets of a terminal in raw mode. Keys that send more than one octet
 * send what ECMA-48 and xterm's "PC-Style Function Keys" have:
 *
 *   ESC [ A          a cursor key          ESC [ 5 ~        an editing key
 *   ESC O A          the same, by application        ESC      Escape, when nothing follows
 */
export type Key =
  | { readonly name: NamedKey }
  /** One character as it is written. */
  | { readonly name: "character"; readonly character: string };

export type NamedKey =
  | "up"
  | "down"
  | "left"
  | "right"
  | "home"
  | "end"
  | "pageUp"
  | "pageDown"
  | "tab"
  | "backTab"
  | "enter"
  | "escape"
  | "erase"
  | "interrupt"
  | "suspend"
  | "redraw";

const afterIntroducer: Readonly<Record<string, NamedKey>> = {
  ...{ A: "up", B: "down", C: "right", D: "left", H: "home", F: "end", Z: "backTab" },
  ...{ "1~": "home", "4~": "end", "5~": "pageUp", "6~": "pageDown", "7~": "home", "8~": "end" },
};

const controls: Readonly<Record<string, NamedKey>> = {
  ...{ "\t": "tab", "\r": "enter", "\n": "enter", "\b": "erase", "\u007f": "erase" },
  ...{ "\u0003": "interrupt", "\u001a": "suspend", "\u000c": "redraw" },
};

/** A sequence that is longer is none. */
const sequenceCharactersMax = 16;

export class KeyReader {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** The keys of what came; a sequence that has not ended waits for more. */
  push(octets: Uint8Array): Key[] {
    this.#rest += this.#decoder.decode(octets, { stream: true });
    const keys: Key[] = [];
    while (this.#rest !== "") {
      const length = this.#rest.startsWith("\u001b") ? sequenceLength(this.#rest) : 1;
      if (length === undefined) break;
      const text =
        length === 1
          ? String.fromCodePoint(this.#rest.codePointAt(0)!)
          : this.#rest.slice(0, length);
      this.#rest = this.#rest.slice(text.length);
      const key = keyOf(text);
      if (key !== undefined) keys.push(key);
    }
    return keys;
  }

  /** Whether a sequence waits for more: then {@link settle} is for when none comes. */
  get isWaiting(): boolean {
    return this.#rest !== "";
  }

  /** Nothing more came: an Escape was just that. */
  settle(): Key[] {
    const wasEscape = this.#rest === "\u001b";
    this.#rest = "";
    return wasEscape ? [{ name: "escape" }] : [];
  }
}

/** Characters of the sequence that `text` begins with; undefined while it has not ended. */
function sequenceLength(text: string): number | undefined {
  const introducer = text[1];
  if (introducer === undefined) return undefined;
  if (introducer === "O") return text.length < 3 ? undefined : 3;
  if (introducer !== "[") return 1;
  const end = text.slice(2).search(/[@-~]/);
  if (end >= 0) return end + 3;
  return text.length > sequenceCharactersMax ? text.length : undefined;
}

function keyOf(text: string): Key | undefined {
  if (text === "\u001b") return { name: "escape" };
  const name = text.startsWith("\u001b")
    ? afterIntroducer[text.slice(2).replace(/^[\d;]+(?=[A-Z])/, "")]
    : controls[text];
  if (name !== undefined) return { name };
  const isControl = /^\p{Cc}/u.test(text);
  return isControl ? undefined : { name: "character", character: text };
}
