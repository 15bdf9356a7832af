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
}

export const secretBoxOverhead = 16;
export const secretBoxNonceSize = 24;
export const secretBoxKeySize = 32;

export const portableSecretBox: SecretBox = {
  implementation: "tweetnacl",
  seal: (plain, nonce, key) => nacl.secretbox(plain, nonce, key),
  open: (box, nonce, key) => nacl.secretbox.open(box, nonce, key) ?? undefined,
};
