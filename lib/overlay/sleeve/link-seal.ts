import type { Aead } from "../../base/aead.ts";
import { assert } from "../../base/errors.ts";
import type { SecretBox } from "../../base/secret-box.ts";
import {
  type DatagramOpener,
  type DatagramSealer,
  DecryptingOpener,
  EncryptingSealer,
  plainOpener,
  plainSealer,
} from "./datagram-seal.ts";
import type { BurstClock } from "./path.ts";
import type { SleeveLinkParameters } from "./ports.ts";
import { RotatingOpener, RotatingSealer } from "./rotating-seal.ts";

/** The ciphers of this machine, and the time by which keys change. */
export interface LinkCiphers {
  readonly secretBox: SecretBox;
  readonly aead?: Aead | undefined;
  readonly clock: BurstClock;
}

/** What two peers agreed on when they were introduced. */
export type SealParameters = Pick<SleeveLinkParameters, "key" | "outbound" | "secrets">;

/** How the datagrams of a link are sealed. */
export type SleeveCipher = "secretbox" | "aes-256-gcm";

/** What seals the datagrams of a link and opens those of its peer. */
export interface LinkSeal {
  readonly cipher: SleeveCipher | undefined;
  readonly sealer: DatagramSealer;
  readonly opener: DatagramOpener;
}

/** AES-256-GCM where both agreed on secrets for it, NaCl's secretbox where there is a key, or nothing. */
export function sealOf(machine: LinkCiphers, parameters: SealParameters): LinkSeal {
  const { secretBox: box, aead, clock } = machine;
  const { key, outbound, secrets } = parameters;
  if (secrets !== undefined) {
    assert(aead !== undefined, "a link under AES-256-GCM needs a machine that has it");
    const options = { aead, clock, secrets };
    const [sealer, opener] = [new RotatingSealer(options), new RotatingOpener(options)];
    return { cipher: "aes-256-gcm", sealer, opener };
  }
  if (key === undefined) return { cipher: undefined, sealer: plainSealer, opener: plainOpener };
  const seal = { box, key, outbound };
  const [sealer, opener] = [new EncryptingSealer(seal), new DecryptingOpener(seal)];
  return { cipher: "secretbox", sealer, opener };
}
