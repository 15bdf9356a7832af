/**
 * Packet filters want short names of few characters, and keys of sets and chains are of any length
 * and of any. So what stands for a key is its SHA-256, cut to 80 bits: whoever may write policies
 * cannot make a key whose name is that of somebody else's.
 */
const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
const nameBytes = 10;

/** Sixteen characters of `a` to `z` and `2` to `7`, always the same for the same key. */
export function shortName(key: string): string {
  const hash = new Bun.CryptoHasher("sha256").update(key).digest();
  let name = "";
  let bits = 0;
  let count = 0;
  for (const byte of hash.subarray(0, nameBytes)) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5; count -= 5) name += alphabet[(bits >> (count - 5)) & 31];
  }
  return name;
}

/** Those of keys in use, which may be of many thousand characters: each is made once. */
export class ShortNames {
  #names: ReadonlyMap<string, string> = new Map();

  /** From now on of these alone. */
  keep(keys: Iterable<string>): void {
    const names = new Map<string, string>();
    for (const key of keys) {
      if (!names.has(key)) names.set(key, this.#names.get(key) ?? shortName(key));
    }
    this.#names = names;
  }

  /** @throws TypeError when it is none of those */
  of(key: string): string {
    const name = this.#names.get(key);
    if (name === undefined) throw new TypeError(`no short name was kept for ${key}`);
    return name;
  }
}
