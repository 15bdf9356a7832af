/**
 * AES-256-GCM under one key. A nonce of 12 octets, the tag of 16 and the text follow each other at
 * `at` of a buffer; `length` is that of the text alone.
 */
export interface GcmContext {
  seal(buffer: Uint8Array, at: number, length: number): void;
  /** False when not authentic; the text may be overwritten all the same. */
  open(buffer: Uint8Array, at: number, length: number): boolean;
  /** Overwrites the key and frees the memory: nothing may be called afterwards. */
  free(): void;
}
