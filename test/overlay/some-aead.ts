import { assert } from "../../lib/base/errors.ts";
import { aeadsHere } from "../../lib/host/aead.ts";

/** AES-256-GCM as this machine has it, for tests of who uses it. */
const first = aeadsHere().next().value;
assert(first !== undefined, "there is always BoringSSL");
export const someAead = first;
