import type { HostIp } from "../../base/ip.ts";
import type { LinkTraffic } from "../../base/overlay.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { GenerationSecrets } from "./key-ratchet.ts";

/**
 * What sleeve needs of the machine and tells the control plane. All calls are synchronous; buffers
 * passed to a port belong to sleeve and may be reused as soon as the call returns.
 */

/** An address of either family, and a UDP port. */
export interface UdpEndpoint {
  readonly ip: HostIp;
  readonly port: number;
}

export type SendResult =
  /** Taken: sent, or in the batch that `flush` sends. */
  | "sent"
  /** No room now; the datagram was not taken. Sleeve keeps it and tries again. */
  | "busy"
  /** EMSGSIZE: larger than this path MTU, which the kernel has for the destination. */
  | { readonly pathMtu: number }
  /** Lost for another reason, which never ends the link. */
  | { readonly error: string };

export interface SleevePorts {
  /**
   * Sends the first `length` octets of `datagram`. With `df` it must leave the host whole or not
   * at all (`IP_PMTUDISC_DO`), without `df` the stack may fragment it; either way from our sleeve
   * port, because the peer answers to the address it sees.
   */
  send(
    link: number,
    to: UdpEndpoint,
    df: boolean,
    datagram: Uint8Array,
    length: number,
  ): SendResult;
  /** The batch is complete. */
  flush(): void;
  /**
   * Puts `length` octets of `bytes` from `at` into the local bridge as one frame; into a kernel
   * datapath with this packet mark.
   */
  inject(bytes: Uint8Array, at: number, length: number, mark: number): void;
}

export type SleeveFailure =
  | "SLEEVE_HEARTBEAT_TIMEOUT"
  /** The engine had to be started anew, and the link's key must not be used again. */
  | "SLEEVE_RESTARTED";

/** What the control plane hears of its links, under the numbers it gave them. */
export interface SleeveEvents {
  /** The peer acknowledged our heartbeat. At most once per link. */
  established(link: number): void;
  /** To be sent to the peer's sleeve over the TCP connection. */
  controlOut(link: number, tag: number, body: Uint8Array): void;
  mtuChanged(link: number, mtu: number): void;
  /** The peer's UDP address was learned, or has changed. */
  remoteMoved(link: number, endpoint: UdpEndpoint): void;
  /** The link is gone, as after `stop`. */
  failed(link: number, code: SleeveFailure, text: string): void;
  /**
   * The engine is being started anew and has forgotten what it knew of this link: gives the secrets
   * of a generation that no engine has had before, or nothing for a link that cannot go on. Asked
   * only by who keeps the engine in another thread.
   */
  renewed?(link: number): GenerationSecrets | undefined;
}

/** What the control plane knows of a link when it asks for it. Plain data. */
export interface SleeveLinkParameters {
  readonly remote: PeerName;
  /** The same at both ends; heartbeats carry it. */
  readonly connectionUid: bigint;
  /** Whether we dialled: then the peer's UDP address is that of the TCP connection. */
  readonly outbound: boolean;
  /** The addresses of the TCP connection, both of one family. */
  readonly localIp: HostIp;
  readonly remoteIp: HostIp;
  readonly remotePort: number;
  /** For NaCl's secretbox: 32 octets. */
  readonly key: Uint8Array | undefined;
  /** For AES-256-GCM, in place of `key`. With neither, frames travel in clear. */
  readonly secrets?: GenerationSecrets;
  /** Where the peer was heard last, when an earlier engine has found out. */
  readonly heardAt?: UdpEndpoint;
  /** See {@link SleeveCommands.limit}. */
  readonly peerTakes?: number;
}

/**
 * The commands of the control plane. {@link SleeveEngine} carries them out; a proxy sends them to
 * the thread in which the engine runs.
 */
export interface SleeveCommands {
  prepare(link: number, parameters: SleeveLinkParameters): void;
  confirm(link: number): void;
  /** A control message of the peer's sleeve. */
  control(link: number, tag: number, body: Uint8Array): void;
  /** A later generation of keys begins, of a link that has `secrets`. */
  renew(link: number, secrets: GenerationSecrets): void;
  /** The peer can deliver no larger packets than these, whatever the path to it carries. */
  limit(link: number, peerTakes: number): void;
  /** The path to the peer was found to carry no larger packets than these, as if the kernel said so. */
  narrow(link: number, pathMtu: number): void;
  stop(link: number): void;
  /** Frames of containers; `undefined` of a link of which nothing is known. */
  traffic(link: number): LinkTraffic | undefined;
}
