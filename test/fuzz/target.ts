import { errorCode, WeaveError } from "../../lib/base/errors.ts";

/**
 * A family of decoders, and what to feed it. Everything follows from the octets of the input and
 * the number of the life, so that any input can be replayed.
 */
export interface FuzzTarget {
  readonly name: string;
  /** Good inputs, of recordings and of our own encoders: every mutant begins with one of them. */
  corpus(): Uint8Array[];
  /** A decoder with whatever lies behind it, fresh. Lives differ where a peer may be set up so. */
  begin(life: number): FuzzLife;
  /** Inputs that one life takes; {@link defaultLifeInputs} unless stated. */
  readonly lifeInputs?: number;
}

/** One decoder that lives through many inputs: what it keeps of one may meet the next. */
export interface FuzzLife {
  /**
   * Whether the input was accepted, at least in part: a campaign in which nothing is accepted tests
   * nothing. Throws when it was neither accepted nor refused for a declared reason.
   */
  consume(bytes: Uint8Array): boolean | Promise<boolean>;
  /** Throws unless the decoder, and what lies behind it, still works and has kept its bounds. */
  end?(): void | Promise<void>;
}

export const defaultLifeInputs = 1000;

/**
 * Runs `action`, which may refuse its input, but only with a `WeaveError` of one of these codes; a
 * code that ends in `*` stands for all that begin so. Returns `undefined` for what was refused.
 */
export function refusable<T>(codes: readonly string[], action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    assertDeclared(codes, error);
    return undefined;
  }
}

/** Throws `error` again unless it is declared; see {@link refusable}. */
export function assertDeclared(codes: readonly string[], error: unknown): void {
  if (!(error instanceof WeaveError) || !isDeclared(codes, errorCode(error))) throw error;
}

function isDeclared(codes: readonly string[], code: string): boolean {
  return codes.some((each) =>
    each.endsWith("*") ? code.startsWith(each.slice(0, -1)) : code === each,
  );
}

/** States what must hold whatever the input was. */
export function hold(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence);
}

/** A number that follows from the octets alone, to choose between ways of handling an input. */
export function fingerprint(bytes: Uint8Array): number {
  return Bun.hash.crc32(bytes) >>> 0;
}
