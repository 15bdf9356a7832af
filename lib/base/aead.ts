/**
 * Authenticated encryption with AES-256 in Galois/counter mode (NIST SP 800-38D), without additional
 * data, as datagrams between peers of our own kind use it. Everything lies in one run of octets, so
 * that nothing is copied and nothing allocated:
 *
 *    at       at + 12    at + 28
 *   +--------+----------+----------------···
 *   | nonce  |   tag    |  text
 *   +--------+----------+----------------···
 *
 * Only a machine with instructions for AES brings one: without them a table-driven cipher would be
 * slow and would tell its key by the time it takes.
 */
export interface Aead {
  /** Which implementation this is, for `status`, e.g. `libcrypto`. */
  readonly implementation: string;
  /** Makes ready to use `key`, 32 octets, which it copies. */
  useKey(key: Uint8Array): AeadKey;
}

/** A key in the form that the implementation works with. To be given back by `erase`. */
export interface AeadKey {
  /**
   * Enciphers the text where it lies and writes the tag. `length` counts nonce, tag and text, from
   * `at`. The caller sees to it that no nonce is ever used twice with a key.
   */
  seal(buffer: Uint8Array, at: number, length: number): void;
  /** The inverse. When false, not authentic: the text is spoilt, and nothing else has changed. */
  open(buffer: Uint8Array, at: number, length: number): boolean;
  /** Overwrites the key; it cannot be used any more. */
  erase(): void;
}

export const aeadKeySize = 32;
export const aeadNonceSize = 12;
export const aeadTagSize = 16;
/** Octets before the text. */
export const aeadHeadSize = aeadNonceSize + aeadTagSize;
