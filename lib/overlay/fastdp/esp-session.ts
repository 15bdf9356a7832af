import { errorText, WeaveError } from "../../base/errors.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { Random } from "../../base/random.ts";
import { decodeInvitation, deriveEspKey, encodeInvitation, espNonceBytes } from "./esp-keys.ts";

/** Between two hosts, both ways: VXLAN to this UDP port. */
export interface EspPath {
  readonly localIp: number;
  readonly remoteIp: number;
  readonly port: number;
}

/** What encryption needs of the kernel: IPsec's ESP in transport mode, with AES-256-GCM. */
export interface KernelEsp {
  /**
   * From now on nothing in clear leaves on this path, and nothing that comes in clear is taken.
   * Opens an association for what comes in and gives its SPI.
   *
   * @param key as of {@link deriveEspKey}
   * @throws WeaveError
   */
  open(path: EspPath, key: Uint8Array): number;
  /** What leaves is encrypted for the peer's association from now on. @throws WeaveError */
  seal(path: EspPath, spi: number, key: Uint8Array): void;
  /**
   * Forgets both associations. The path is closed to clear packets as long as another session has
   * it, and open to them afterwards: whoever uses it must have stopped before.
   */
  close(path: EspPath, inboundSpi: number, outboundSpi: number | undefined): void;
}

/**
 * The encryption of one connection (fastdp §8.3).
 *
 *   ──start──▶ invited ──invitation of the peer──▶ sealed ──stop──▶ stopped
 *
 * In every state but the first nothing leaves in clear: what is sent before the peer's invitation
 * has come is lost.
 */
export interface EspSessionOptions {
  readonly kernel: KernelEsp;
  readonly random: Random;
  readonly path: EspPath;
  readonly local: PeerName;
  readonly remote: PeerName;
  readonly sessionKey: Uint8Array;
  /** Sends our invitation to the peer. */
  invite(body: Uint8Array): void;
  /** Frames can be sent. */
  sealed(): void;
  failed(error: WeaveError): void;
}

export class EspSession {
  readonly #options: EspSessionOptions;
  #inboundSpi: number | undefined;
  #outboundSpi: number | undefined;

  constructor(options: EspSessionOptions) {
    this.#options = options;
  }

  /** False when the kernel refuses; `failed` has been called then. */
  start(): boolean {
    const { kernel, random, path, local, sessionKey } = this.#options;
    const nonce = random.fill(new Uint8Array(espNonceBytes));
    return this.#attempt(() => {
      const spi = kernel.open(path, deriveEspKey(sessionKey, nonce, local));
      this.#inboundSpi = spi;
      this.#options.invite(encodeInvitation({ nonce, spi }));
    });
  }

  /** The peer's invitation; a second one, or what is none, is ignored. */
  invited(body: Uint8Array): void {
    const { kernel, path, remote, sessionKey } = this.#options;
    const invitation = decodeInvitation(body);
    if (invitation === undefined || this.#inboundSpi === undefined) return;
    if (this.#outboundSpi !== undefined) return;
    const { nonce, spi } = invitation;
    const isSealed = this.#attempt(() => {
      kernel.seal(path, spi, deriveEspKey(sessionKey, nonce, remote));
      this.#outboundSpi = spi;
    });
    if (isSealed) this.#options.sealed();
  }

  stop(): void {
    const { kernel, path } = this.#options;
    const spi = this.#inboundSpi;
    this.#inboundSpi = undefined;
    if (spi !== undefined) kernel.close(path, spi, this.#outboundSpi);
  }

  #attempt(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (cause) {
      this.#options.failed(
        cause instanceof WeaveError
          ? cause
          : new WeaveError("FASTDP_ENCRYPTION", `IPsec: ${errorText(cause)}`, { cause }),
      );
      return false;
    }
  }
}
