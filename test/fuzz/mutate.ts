import { type Random, randomBelow, seededRandom } from "../../lib/base/random.ts";

/**
 * Deterministic damage for fuzz tests: valid bytes in, nearly valid bytes out.
 *
 * Parsers fail where bytes are almost right, so every mutant begins with a member of the corpus and
 * takes one to four kinds of damage. The same seed gives the same mutants in the same order.
 */
export function mutate(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  // A copy, whatever was given: `slice` of a Buffer is a view.
  let bytes = new Uint8Array(pick(random, corpus));
  for (let rounds = 1 + randomBelow(random, 4); rounds > 0; rounds--) {
    bytes = pick(random, damages)(random, bytes, corpus);
  }
  return bytes;
}

/** `count` mutants of `corpus`, the same ones for the same seed. */
export function* mutants(
  seed: number,
  corpus: readonly Uint8Array[],
  count: number,
): Generator<Uint8Array> {
  const random = seededRandom(seed);
  for (let made = 0; made < count; made++) yield mutate(random, corpus);
}

/**
 * Feeds `count` mutants to `consume`. Whatever it throws is thrown again under a sentence with the
 * seed, the number of the mutant and its bytes, which is all it takes to see the failure again.
 */
export function fuzz(
  seed: number,
  corpus: readonly Uint8Array[],
  count: number,
  consume: (mutant: Uint8Array) => void,
): void {
  let number = 0;
  for (const mutant of mutants(seed, corpus, count)) {
    try {
      consume(mutant);
    } catch (cause) {
      throw new Error(`seed ${seed}, mutant ${number}: ${mutant.toHex()}`, { cause });
    }
    number++;
  }
}

/** Splits `bytes` at random places, as a network may: no piece is empty. */
export function* chunks(random: Random, bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    // Mostly small pieces, at times a large one.
    const most = bytes.length - at;
    const size = 1 + randomBelow(random, randomBelow(random, 8) === 0 ? most : Math.min(most, 40));
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

type Damage = (
  random: Random,
  bytes: Uint8Array,
  corpus: readonly Uint8Array[],
) => Uint8Array<ArrayBuffer>;

/** Lengths and counts at which parsers go wrong, as 64-bit numbers cut to the field's width. */
const awkwardNumbers: readonly bigint[] = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0xffffn,
  0x00a0_0000n,
  0x00a0_0001n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_ffffn,
];

const damages: readonly Damage[] = [
  flipBits,
  setOctet,
  damageLengthField,
  nudgeOctet,
  truncate,
  deleteBlock,
  repeatBlock,
  insertNoise,
  splice,
];

function flipBits(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  for (let flips = 1 + randomBelow(random, 4); flips > 0 && copy.length > 0; flips--) {
    copy[randomBelow(random, copy.length)]! ^= 1 << randomBelow(random, 8);
  }
  return copy;
}

function setOctet(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  if (copy.length > 0) copy[randomBelow(random, copy.length)] = randomBelow(random, 256);
  return copy;
}

/** Overwrites one, two, four or eight octets with a number that is awkward as a length. */
function damageLengthField(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  const width = 1 << randomBelow(random, 4);
  if (copy.length < width) return copy;
  const at = randomBelow(random, copy.length - width + 1);
  let rest = pick(random, awkwardNumbers);
  for (let octet = width - 1; octet >= 0; octet--) {
    copy[at + octet] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return copy;
}

/** One more or one less: the classic error of a length. */
function nudgeOctet(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  if (copy.length > 0) copy[randomBelow(random, copy.length)]! += randomBelow(random, 2) * 2 - 1;
  return copy;
}

function truncate(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.slice(0, randomBelow(random, bytes.length + 1));
}

function deleteBlock(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { from, to } = block(random, bytes);
  return join(bytes.subarray(0, from), bytes.subarray(to));
}

function repeatBlock(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { from, to } = block(random, bytes);
  return join(bytes.subarray(0, to), bytes.subarray(from));
}

function insertNoise(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const noise = random.fill(new Uint8Array(1 + randomBelow(random, 8)));
  const at = randomBelow(random, bytes.length + 1);
  return join(bytes.subarray(0, at), noise, bytes.subarray(at));
}

/** The head of these bytes and the tail of another member of the corpus. */
function splice(
  random: Random,
  bytes: Uint8Array,
  corpus: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const other = pick(random, corpus);
  return join(
    bytes.subarray(0, randomBelow(random, bytes.length + 1)),
    other.subarray(randomBelow(random, other.length + 1)),
  );
}

/** At most 64 octets somewhere in `bytes`. */
function block(random: Random, bytes: Uint8Array): { from: number; to: number } {
  const from = randomBelow(random, bytes.length + 1);
  const to = from + randomBelow(random, Math.min(64, bytes.length - from) + 1);
  return { from, to };
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[randomBelow(random, items.length)]!;
}
