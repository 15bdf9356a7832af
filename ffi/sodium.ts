import { ptr } from "bun:ffi";
import { libsodiumName, openLibrary } from "./library.ts";

/** The part of libsodium that is used: NaCl's secretbox. Keys have 32 octets, nonces 24. */
export interface Sodium {
  /** Where the library was found. */
  readonly origin: "system" | "carried";
  /**
   * Encrypts `length` octets at `at + 16` of `buffer` where they lie and writes their authenticator
   * to `at`.
   */
  seal(buffer: Uint8Array, at: number, length: number, nonce: Uint8Array, key: Uint8Array): void;
  /** The inverse; false, and nothing written, when the authenticator does not match. */
  open(buffer: Uint8Array, at: number, length: number, nonce: Uint8Array, key: Uint8Array): boolean;
}

const authenticatorBytes = 16;

/** @throws SystemError `SYS_ENOENT` when neither the system nor the executable has the library */
export function openSodium(): Sodium {
  const { origin, symbols } = openLibrary(libsodiumName, {
    sodium_init: { args: [], returns: "i32" },
    crypto_secretbox_easy: { args: ["ptr", "ptr", "u64", "ptr", "ptr"], returns: "i32" },
    crypto_secretbox_open_easy: { args: ["ptr", "ptr", "u64", "ptr", "ptr"], returns: "i32" },
  });
  // Picks the fastest implementation for this processor; safe to repeat.
  symbols.sodium_init();
  // Both calls take a target that is its source, shifted by the authenticator.
  return {
    origin,
    seal(buffer, at, length, nonce, key) {
      const box = ptr(buffer, at);
      const plain = ptr(buffer, at + authenticatorBytes);
      symbols.crypto_secretbox_easy(box, plain, length, nonce, key);
    },
    open(buffer, at, length, nonce, key) {
      const box = ptr(buffer, at);
      const plain = ptr(buffer, at + authenticatorBytes);
      const boxed = length + authenticatorBytes;
      return symbols.crypto_secretbox_open_easy(plain, box, boxed, nonce, key) === 0;
    },
  };
}
