import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8 } from "../../base/bytes.ts";
import { assert } from "../../base/errors.ts";
import { type PeerName, peerNameBytes } from "../../base/peer-name.ts";
import { epochMax, generationMax } from "./epoch.ts";

/**
 * From the session key of a connection to the keys of its datagrams, by HKDF-SHA256 (RFC 5869).
 *
 *   session key ─extract─▶ root ─"direction", sender, receiver, generation─▶ secret
 *
 *                                      "key"             "key"
 *   secret = chain 0 ─────────────────▶ key 0    chain 1 ─────▶ key 1   …
 *                 └──"next"─────────────────────────▲
 *
 * Whoever gets hold of a key has the datagrams of one epoch of one direction; of a chain, that epoch
 * and the later ones, never an earlier one. The session key itself stays with the control plane, in
 * whose TCP connection it lives, and never comes near the packet path.
 */
const context = utf8("weave sleeve-aes-gcm/1");
const directionLabel = utf8("direction");
const keyLabel = utf8("key");
const nextLabel = utf8("next");

/** What an engine needs to begin a generation. Plain data; 32 octets each way. */
export interface GenerationSecrets {
  readonly generation: number;
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

export interface LinkIdentity {
  readonly sessionKey: Uint8Array;
  readonly local: PeerName;
  readonly remote: PeerName;
}

/** The secrets of one generation of a link, the same at both ends with the ways exchanged. */
export function generationSecrets(link: LinkIdentity, generation: number): GenerationSecrets {
  assert(generation <= generationMax, "a generation fits its octet");
  const root = extract(sha256, link.sessionKey, context);
  const secret = (sender: PeerName, receiver: PeerName): Uint8Array =>
    expand(
      sha256,
      root,
      concatBytes(
        directionLabel,
        peerNameBytes(sender),
        peerNameBytes(receiver),
        Uint8Array.of(generation),
      ),
      32,
    );
  const { local, remote } = link;
  const secrets = { generation, send: secret(local, remote), receive: secret(remote, local) };
  root.fill(0);
  return secrets;
}

/** Gives the keys of one direction, epoch after epoch, and cannot go back. */
export class KeyRatchet {
  #chain: Uint8Array;
  #epoch = 0;
  #erased = false;

  /** `secret` is copied. */
  constructor(secret: Uint8Array) {
    this.#chain = secret.slice();
  }

  /** Hands the key of the next epoch to `use`, from 0 on, and overwrites it afterwards. */
  next<Result>(use: (key: Uint8Array, epoch: number) => Result): Result {
    assert(!this.#erased, "an erased chain gives no keys");
    assert(this.#epoch <= epochMax, "a link does not outlive its epochs");
    const key = expand(sha256, this.#chain, keyLabel, 32);
    const chain = expand(sha256, this.#chain, nextLabel, 32);
    this.#chain.fill(0);
    this.#chain = chain;
    const result = use(key, this.#epoch++);
    key.fill(0);
    return result;
  }

  /** Overwrites what later keys would come from. */
  erase(): void {
    this.#erased = true;
    this.#chain.fill(0);
  }
}
