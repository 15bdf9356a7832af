import type { PeerName } from "../../base/peer-name.ts";
import type { RoutesSnapshot } from "../../base/routes-snapshot.ts";
import type { MacEntry } from "../../overlay/mac-table.ts";
import type { EngineCounters, LinkCounters } from "../../overlay/sleeve/counters.ts";
import type { GenerationSecrets } from "../../overlay/sleeve/key-ratchet.ts";
import type {
  SleeveFailure,
  SleeveLinkParameters,
  UdpEndpoint,
} from "../../overlay/sleeve/ports.ts";
import type { SleeveLinkStatus } from "../../overlay/sleeve/status.ts";
import type { Mac } from "../../wire/ethernet.ts";

/**
 * What the main thread and the data-plane worker say to each other: plain data, copied.
 *
 *   main ──commands by MessagePort, then one signal of the event counter──▶ worker
 *   main ◀──events of one turn in one message────────────────────────────── worker
 *   main ◀──counters in shared memory, read when asked───────────────────── worker
 *
 * Descriptors belong to the main thread, which opened them in the router's namespace; the worker only
 * uses their numbers, so a worker that ends takes nothing with it and leaves nothing behind.
 */
export interface WorkerSetup {
  readonly local: PeerName;
  /** The namespace that the worker's thread enters. */
  readonly namespaceDescriptor: number;
  /** For this worker alone: what it waits on. */
  readonly epollDescriptor: number;
  readonly wakeDescriptor: number;
  readonly packetDescriptor: number;
  /** At most one a family. */
  readonly udpDescriptors: readonly number[];
  readonly counters: SharedArrayBuffer;
  readonly traffic: SharedArrayBuffer;
  /** Another process still serves the sockets: leave them alone until told to begin. */
  readonly waits: boolean;
  /** Where frames come from a kernel datapath, marked, and not from a bridge: its MTU. */
  readonly datapathMtu: number | undefined;
}

export type Command =
  | { readonly kind: "prepare"; readonly link: number; readonly parameters: SleeveLinkParameters }
  | { readonly kind: "confirm"; readonly link: number }
  | {
      readonly kind: "control";
      readonly link: number;
      readonly tag: number;
      readonly body: Uint8Array;
    }
  | { readonly kind: "renew"; readonly link: number; readonly secrets: GenerationSecrets }
  | { readonly kind: "limit"; readonly link: number; readonly peerTakes: number }
  | { readonly kind: "narrow"; readonly link: number; readonly pathMtu: number }
  | { readonly kind: "stop"; readonly link: number }
  | { readonly kind: "topology"; readonly snapshot: RoutesSnapshot }
  | { readonly kind: "residents"; readonly macs: readonly Mac[] }
  | { readonly kind: "capture"; readonly descriptor: number }
  /** Tells once when this descriptor, which the worker does not read, is readable. */
  | { readonly kind: "watch"; readonly descriptor: number }
  /** From now on the sockets are this worker's; once, if it waits. */
  | { readonly kind: "begin" }
  | { readonly kind: "inspect"; readonly request: number }
  | { readonly kind: "quit" };

export type WorkerEvent =
  | { readonly kind: "ready"; readonly secretBox: string }
  /** Told to quit, it does not touch the sockets any more; its thread ends a little later. */
  | { readonly kind: "left" }
  | { readonly kind: "established"; readonly link: number }
  | {
      readonly kind: "controlOut";
      readonly link: number;
      readonly tag: number;
      readonly body: Uint8Array;
    }
  | { readonly kind: "mtuChanged"; readonly link: number; readonly mtu: number }
  | { readonly kind: "remoteMoved"; readonly link: number; readonly endpoint: UdpEndpoint }
  | {
      readonly kind: "failed";
      readonly link: number;
      readonly code: SleeveFailure;
      readonly text: string;
    }
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly line: string;
    }
  /** A capture socket that was replaced is not used any more and may be closed. */
  | { readonly kind: "released"; readonly descriptor: number }
  | { readonly kind: "readable"; readonly descriptor: number }
  | { readonly kind: "inspected"; readonly request: number; readonly inspection: Inspection };

/** What the data plane leaves to the kernel, where it can. */
export interface Offload {
  /**
   * `capture`: unfinished checksums and TCP super-frames, from and to containers; `capture-udp`:
   * the same of UDP; `send`, `receive`: runs of datagrams between hosts.
   */
  readonly name: "capture" | "capture-udp" | "send" | "receive";
  /** Why it is not used; empty when it is. */
  readonly missing: string;
}

/** The data plane as it was at one moment. */
export interface Inspection {
  /** The worker's monotonic clock, to which the times below refer. */
  readonly nowMs: number;
  readonly macs: readonly MacEntry[];
  readonly links: readonly SleeveLinkStatus[];
  readonly engine: EngineCounters;
  /** All links, those that are gone included. */
  readonly total: LinkCounters;
  readonly perLink: ReadonlyMap<number, LinkCounters>;
  readonly offloads: readonly Offload[];
}
