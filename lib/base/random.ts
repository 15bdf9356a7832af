/** A source of random bytes: the kernel's in the daemon, a seeded one in the simulator. */
export interface Random {
  /** Fills the whole of `into` and returns it. */
  fill(into: Uint8Array): Uint8Array;
}

/** A uniform 32-bit unsigned number. */
export function randomUint32(random: Random): number {
  const bytes = random.fill(new Uint8Array(4));
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
}

/** A uniform 64-bit unsigned number. */
export function randomUint64(random: Random): bigint {
  return (BigInt(randomUint32(random)) << 32n) | BigInt(randomUint32(random));
}

/** A uniform number in [0, 1) with 32 bits of resolution. */
export function randomUnit(random: Random): number {
  return randomUint32(random) / 2 ** 32;
}

/** A uniform whole number in [0, bound), for 0 < bound ≤ 2^32. */
export function randomBelow(random: Random, bound: number): number {
  // Rejecting the uneven tail keeps every value equally likely.
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const value = randomUint32(random);
    if (value < limit) return value % bound;
  }
}

/** Shuffles `items` in place (Fisher–Yates) and returns them. */
export function shuffle<T>(random: Random, items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = randomBelow(random, last + 1);
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}

/**
 * A reproducible source (xoshiro128**, Blackman and Vigna 2018) for simulations and tests.
 * Never use it for keys.
 */
export function seededRandom(seed: number): Random {
  let mix = seed >>> 0;
  const splitmix = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let [a, b, c, d] = [splitmix(), splitmix(), splitmix(), splitmix()];
  const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
  const next = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
  return {
    fill(into) {
      for (let at = 0; at < into.length; at += 4) {
        const word = next();
        for (let i = 0; i < 4 && at + i < into.length; i++) into[at + i] = word >>> (24 - 8 * i);
      }
      return into;
    },
  };
}
