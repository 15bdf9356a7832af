import nacl from "tweetnacl";

/**
 * NaCl's authenticated cipher (XSalsa20-Poly1305) as the mesh and sleeve use it: output is the
 * 16-octet authenticator followed by the ciphertext. The portable implementation is here; the
 * machine may bring a faster one with equal results.
 */
export interface SecretBox {
  /** Which implementation this is, for `status`. */
  readonly implementation: string;
  /** `nonce` has 24 octets and `key` 32. Returns `plain.length + 16` octets. */
  seal(plain: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array;
  /** `undefined` when the authenticator does not match. */
  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined;
  /**
   * Like `seal`, without copying or allocating: the plain octets lie at `at + secretBoxOverhead`
   * and are replaced by the ciphertext, and the authenticator goes to `at`. Packet paths use it
   * through {@link sealInPlace}, which falls back on `seal`.
   */
  sealInPlace?(run: BoxRun, nonce: Uint8Array, key: Uint8Array): void;
  /** The inverse, by {@link openInPlace}; false, and the octets left alone, when not authentic. */
  openInPlace?(run: BoxRun, nonce: Uint8Array, key: Uint8Array): boolean;
}

/** Where a box lies: `length` octets of `buffer` from `at`, its authenticator included. */
export interface BoxRun {
  readonly buffer: Uint8Array;
  readonly at: number;
  readonly length: number;
}

export const secretBoxOverhead = 16;
export const secretBoxNonceSize = 24;
export const secretBoxKeySize = 32;

export const portableSecretBox: SecretBox = {
  implementation: "tweetnacl",
  seal: (plain, nonce, key) => nacl.secretbox(plain, nonce, key),
  open: (box, nonce, key) => nacl.secretbox.open(box, nonce, key) ?? undefined,
};

/** Seals the octets that follow the authenticator's place, with the quickest way `box` has. */
export function sealInPlace(box: SecretBox, run: BoxRun, nonce: Uint8Array, key: Uint8Array): void {
  if (box.sealInPlace !== undefined) {
    box.sealInPlace(run, nonce, key);
    return;
  }
  const { buffer, at, length } = run;
  const plain = buffer.subarray(at + secretBoxOverhead, at + length);
  buffer.set(box.seal(plain, nonce, key), at);
}

/**
 * Opens a box where it lies: the plain octets are then at `at + secretBoxOverhead`. False when it
 * is too short or not authentic.
 */
export function openInPlace(
  box: SecretBox,
  run: BoxRun,
  nonce: Uint8Array,
  key: Uint8Array,
): boolean {
  const { buffer, at, length } = run;
  if (length < secretBoxOverhead) return false;
  if (box.openInPlace !== undefined) return box.openInPlace(run, nonce, key);
  const plain = box.open(buffer.subarray(at, at + length), nonce, key);
  if (plain === undefined) return false;
  buffer.set(plain, at + secretBoxOverhead);
  return true;
}
