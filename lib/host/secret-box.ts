import { openSodium, type Sodium } from "../../ffi/sodium.ts";
import { isSystemError } from "../../ffi/system-error.ts";
import { assert } from "../base/errors.ts";
import {
  portableSecretBox,
  type SecretBox,
  secretBoxKeySize,
  secretBoxNonceSize,
  secretBoxOverhead,
} from "../base/secret-box.ts";

/** The quickest implementation this machine has: libsodium's, else the portable one. */
export function openSecretBox(): SecretBox {
  try {
    return sodiumSecretBox(openSodium());
  } catch (error) {
    if (isSystemError(error)) return portableSecretBox;
    throw error;
  }
}

function sodiumSecretBox(sodium: Sodium): SecretBox {
  return {
    implementation: `libsodium (${sodium.origin})`,
    seal(plain, nonce, key) {
      checkSizes(nonce, key);
      const box = new Uint8Array(plain.length + secretBoxOverhead);
      box.set(plain, secretBoxOverhead);
      sodium.seal(box, 0, plain.length, nonce, key);
      return box;
    },
    open(box, nonce, key) {
      checkSizes(nonce, key);
      if (box.length < secretBoxOverhead) return undefined;
      const copy = box.slice();
      const length = box.length - secretBoxOverhead;
      return sodium.open(copy, 0, length, nonce, key)
        ? copy.subarray(secretBoxOverhead)
        : undefined;
    },
    sealInPlace({ buffer, at, length }, nonce, key) {
      checkSizes(nonce, key);
      checkRun(buffer, at, length);
      sodium.seal(buffer, at, length - secretBoxOverhead, nonce, key);
    },
    openInPlace({ buffer, at, length }, nonce, key) {
      checkSizes(nonce, key);
      checkRun(buffer, at, length);
      return sodium.open(buffer, at, length - secretBoxOverhead, nonce, key);
    },
  };
}

// Native code does not look where an array ends, so these hold for every call.
function checkSizes(nonce: Uint8Array, key: Uint8Array): void {
  assert(nonce.length === secretBoxNonceSize, "a secretbox nonce has 24 octets");
  assert(key.length === secretBoxKeySize, "a secretbox key has 32 octets");
}

function checkRun(buffer: Uint8Array, at: number, length: number): void {
  assert(
    at >= 0 && length >= secretBoxOverhead && at + length <= buffer.length,
    "a secretbox lies within its buffer",
  );
}
