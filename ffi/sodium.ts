import { type Pointer, ptr } from "bun:ffi";
import type { GcmContext } from "./gcm-context.ts";
import { libsodiumName, openLibrary } from "./library.ts";
import { pinnedBytes } from "./memory.ts";

/**
 * The part of libsodium that is used: NaCl's secretbox, whose keys have 32 octets and nonces 24, and
 * AES-256-GCM.
 */
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
  /**
   * Makes a context of AES-256-GCM for a key of 32 octets; missing when the library has none for
   * this processor.
   */
  readonly gcm: ((key: Uint8Array) => GcmContext) | undefined;
}

const authenticatorBytes = 16;
const gcmNonceBytes = 12;
const gcmStateBytes = 512;
const gcmStateAlignment = 16;

/** @throws SystemError `SYS_ENOENT` when neither the system nor the executable has the library */
export function openSodium(): Sodium {
  const { origin, symbols } = openLibrary(libsodiumName, {
    sodium_init: { args: [], returns: "i32" },
    crypto_secretbox_easy: { args: ["ptr", "ptr", "u64", "ptr", "ptr"], returns: "i32" },
    crypto_secretbox_open_easy: { args: ["ptr", "ptr", "u64", "ptr", "ptr"], returns: "i32" },
    ...gcmFunctions,
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
    gcm:
      symbols.crypto_aead_aes256gcm_is_available() === 1
        ? (key) => gcmContext(symbols, key)
        : undefined,
  };
}

const gcmFunctions = {
  crypto_aead_aes256gcm_is_available: { args: [], returns: "i32" },
  crypto_aead_aes256gcm_beforenm: { args: ["ptr", "ptr"], returns: "i32" },
  crypto_aead_aes256gcm_encrypt_detached_afternm: {
    args: ["ptr", "ptr", "ptr", "ptr", "u64", "ptr", "u64", "ptr", "ptr", "ptr"],
    returns: "i32",
  },
  crypto_aead_aes256gcm_decrypt_detached_afternm: {
    args: ["ptr", "ptr", "ptr", "u64", "ptr", "ptr", "u64", "ptr", "ptr"],
    returns: "i32",
  },
} as const;

type GcmSymbols = ReturnType<typeof openLibrary<typeof gcmFunctions>>["symbols"];

function gcmContext(symbols: GcmSymbols, key: Uint8Array): GcmContext {
  const memory = pinnedBytes(gcmStateBytes + gcmStateAlignment);
  const misaligned = ptr(memory) % gcmStateAlignment;
  const state = ptr(memory, misaligned === 0 ? 0 : gcmStateAlignment - misaligned);
  symbols.crypto_aead_aes256gcm_beforenm(state, ptr(key));
  return {
    seal(buffer, at, length) {
      const nonce = ptr(buffer, at);
      const tag = (nonce + gcmNonceBytes) as Pointer;
      const text = (tag + authenticatorBytes) as Pointer;
      symbols.crypto_aead_aes256gcm_encrypt_detached_afternm(
        text,
        tag,
        null,
        text,
        length,
        null,
        0,
        null,
        nonce,
        state,
      );
    },
    open(buffer, at, length) {
      const nonce = ptr(buffer, at);
      const tag = (nonce + gcmNonceBytes) as Pointer;
      const text = (tag + authenticatorBytes) as Pointer;
      const result = symbols.crypto_aead_aes256gcm_decrypt_detached_afternm(
        text,
        null,
        text,
        length,
        tag,
        null,
        0,
        nonce,
        state,
      );
      return result === 0;
    },
    free: () => void memory.fill(0),
  };
}
