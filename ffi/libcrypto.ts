import { type Pointer, ptr } from "bun:ffi";
import type { GcmContext } from "./gcm-context.ts";
import { libcryptoName, openLibrary } from "./library.ts";
import { pinnedBytes } from "./memory.ts";

const nonceBytes = 12;
const tagBytes = 16;
const EVP_CTRL_AEAD_GET_TAG = 0x10;
const EVP_CTRL_AEAD_SET_TAG = 0x11;

/**
 * Where the library writes what nobody reads: how many octets it has enciphered, and a last block
 * that this mode does not have. The array stays for ever, as native code writes to its address.
 */
const scratch = { memory: pinnedBytes(32), writtenAt: 0, lastBlockAt: 8 };

/**
 * AES-256-GCM of OpenSSL, which knows the widest instructions of the processor: gives the way to
 * make contexts, each for one key of 32 octets.
 *
 * @throws SystemError `SYS_ENOENT` without the library
 */
export function openLibcrypto(): (key: Uint8Array) => GcmContext {
  const { symbols: evp } = openLibrary(libcryptoName, {
    EVP_aes_256_gcm: { args: [], returns: "ptr" },
    EVP_CIPHER_CTX_new: { args: [], returns: "ptr" },
    EVP_CIPHER_CTX_free: { args: ["ptr"], returns: "void" },
    EVP_CIPHER_CTX_ctrl: { args: ["ptr", "i32", "i32", "ptr"], returns: "i32" },
    EVP_CipherInit_ex: { args: ["ptr", "ptr", "ptr", "ptr", "ptr", "i32"], returns: "i32" },
    EVP_CipherUpdate: { args: ["ptr", "ptr", "ptr", "ptr", "i32"], returns: "i32" },
    EVP_CipherFinal_ex: { args: ["ptr", "ptr", "ptr"], returns: "i32" },
  });
  const cipher = evp.EVP_aes_256_gcm();
  const written = ptr(scratch.memory, scratch.writtenAt);
  const lastBlock = ptr(scratch.memory, scratch.lastBlockAt);

  return (key) => {
    const context = evp.EVP_CIPHER_CTX_new();
    evp.EVP_CipherInit_ex(context, cipher, null, ptr(key), null, 1);
    /** Runs the text through the cipher; 1 unless the tag is wrong. */
    const run = (nonce: Pointer, length: number, enciphers: 0 | 1): number => {
      const tag = (nonce + nonceBytes) as Pointer;
      const text = (nonce + nonceBytes + tagBytes) as Pointer;
      evp.EVP_CipherInit_ex(context, null, null, null, nonce, enciphers);
      if (enciphers === 0) {
        evp.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tagBytes, tag);
      }
      evp.EVP_CipherUpdate(context, text, written, text, length);
      const result = evp.EVP_CipherFinal_ex(context, lastBlock, written);
      if (enciphers === 1) {
        evp.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tagBytes, tag);
      }
      return result;
    };
    return {
      seal: (buffer, at, length) => void run(ptr(buffer, at), length, 1),
      open: (buffer, at, length) => run(ptr(buffer, at), length, 0) === 1,
      free: () => evp.EVP_CIPHER_CTX_free(context),
    };
  };
}
