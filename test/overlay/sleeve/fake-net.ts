import { familyOf, type HostIp, type IpFamily } from "../../../lib/base/ip.ts";
import type { PeerName } from "../../../lib/base/peer-name.ts";
import { portableSecretBox } from "../../../lib/base/secret-box.ts";
import type { Log } from "../../../lib/base/world.ts";
import type { PathMtuPlan } from "../../../lib/overlay/path-mtu-plan.ts";
import { SleeveEngine } from "../../../lib/overlay/sleeve/engine.ts";
import { generationSecrets } from "../../../lib/overlay/sleeve/key-ratchet.ts";
import type {
  SendResult,
  SleeveEvents,
  SleeveLinkParameters,
  SleevePorts,
  UdpEndpoint,
} from "../../../lib/overlay/sleeve/ports.ts";
import { someAead } from "../some-aead.ts";

/**
 * Hosts with sleeve on a network in memory. One clock, no randomness: what happens depends on the
 * calls of the test alone.
 */
export interface Wire {
  /** The path MTU that the sending kernel knows. */
  kernelMtu: number;
  /** IP packets above this vanish without a word; counted whole when fragmented. */
  holeAbove: number;
  /** Whether anything gets through at all. */
  up: boolean;
  delayMs: number;
}

export interface SentDatagram {
  readonly atMs: number;
  readonly link: number;
  readonly to: UdpEndpoint;
  readonly df: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const ipAndUdp = { 4: 28, 6: 48 } as const;
export const sleevePort = 6783;

export interface HostOptions {
  readonly plan?: PathMtuPlan;
  /** Of the kernel datapath behind which sleeve stands. */
  readonly datapathMtu?: number;
  /** Of the underlay; default 4. */
  readonly family?: IpFamily;
}

export class FakeHost implements SleevePorts, SleeveEvents {
  readonly name: PeerName;
  readonly ip: HostIp;
  readonly engine: SleeveEngine;
  shortId: number | undefined;
  readonly injected: string[] = [];
  /** The mark of each of them. */
  readonly marks: number[] = [];
  readonly sent: SentDatagram[] = [];
  readonly refused: SentDatagram[] = [];
  /** Events other than control messages, e.g. `established 1`. */
  readonly events: string[] = [];
  readonly controlSent: string[] = [];
  readonly log: string[] = [];
  /** Outcomes for the next sends, before the network is asked. */
  readonly results: SendResult[] = [];
  #net: FakeNet;

  constructor(net: FakeNet, name: number, ip: HostIp, { family: _, ...options }: HostOptions = {}) {
    this.#net = net;
    this.name = name as PeerName;
    this.ip = ip;
    const line =
      (level: keyof Log) =>
      (text: string): void =>
        void this.log.push(`${level}: ${text}`);
    this.engine = new SleeveEngine({
      world: {
        monotonicMs: () => net.nowMs,
        log: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
      },
      local: this.name,
      ports: this,
      events: this,
      secretBox: portableSecretBox,
      aead: someAead,
      ...options,
    });
  }

  send(
    link: number,
    to: UdpEndpoint,
    df: boolean,
    datagram: Uint8Array,
    length: number,
  ): SendResult {
    const scripted = this.results.shift();
    const bytes = datagram.slice(0, length);
    const sent = { atMs: this.#net.nowMs, link, to: { ...to }, df, bytes };
    const result = scripted ?? this.#net.carry(this, sent);
    (result === "sent" ? this.sent : this.refused).push(sent);
    return result;
  }

  flush(): void {}

  inject(bytes: Uint8Array, at: number, length: number, mark: number): void {
    this.injected.push(bytes.subarray(at, at + length).toHex());
    this.marks.push(mark);
  }

  established(link: number): void {
    this.events.push(`established ${link}`);
  }
  mtuChanged(link: number, mtu: number): void {
    this.events.push(`mtu ${link} ${mtu}`);
  }
  remoteMoved(link: number, { ip, port }: UdpEndpoint): void {
    this.events.push(`moved ${link} ${ip}:${port}`);
  }
  failed(link: number, code: string): void {
    this.events.push(`failed ${link} ${code}`);
  }
  controlOut(link: number, tag: number, body: Uint8Array): void {
    this.controlSent.push(`${tag}:${body.toHex()}`);
    this.#net.control(this, link, tag, body.slice());
  }

  /** Captures frames as one burst. */
  capture(...frames: Uint8Array[]): void {
    for (const frame of frames) this.engine.captured(frame, 0, frame.length);
    this.engine.flush();
  }

  /** Receives a datagram as a burst of its own. */
  receive(bytes: Uint8Array, from: UdpEndpoint): void {
    this.engine.received(bytes, 0, bytes.length, from.ip, from.port);
    this.engine.flush();
  }
}

/** A key for NaCl's secretbox, or a session key from which those of AES-256-GCM are derived. */
export type Seal = Uint8Array | { readonly sessionKey: Uint8Array };

function sealOf(
  { name: local }: FakeHost,
  { name: remote }: FakeHost,
  seal: Seal | undefined,
): Pick<SleeveLinkParameters, "key" | "secrets"> {
  if (seal === undefined || seal instanceof Uint8Array) return { key: seal };
  return { key: undefined, secrets: generationSecrets({ ...seal, local, remote }, 0) };
}

interface Happening {
  readonly atMs: number;
  readonly action: () => void;
}

export interface Connection {
  readonly dialler: FakeHost;
  readonly acceptor: FakeHost;
  readonly diallerLink: number;
  readonly acceptorLink: number;
}

export class FakeNet {
  nowMs = 1000;
  readonly hosts: FakeHost[] = [];
  readonly connections: Connection[] = [];
  readonly #queue: Happening[] = [];
  readonly #wires = new Map<string, Wire>();
  /** Source addresses as receivers see them, when something translates them. */
  readonly translated = new Map<FakeHost, UdpEndpoint>();
  #lastLink = 0;

  host(name: number, options?: HostOptions): FakeHost {
    const number = this.hosts.length + 1;
    const ip = options?.family === 6 ? `fd00::${number}` : 0x0a090000 + number;
    const host = new FakeHost(this, name, ip, options);
    this.hosts.push(host);
    return host;
  }

  /** The way from one host to another; each direction has its own. */
  wire(from: FakeHost, to: FakeHost): Wire {
    const key = `${from.ip} ${to.ip}`;
    const wire = this.#wires.get(key) ?? {
      kernelMtu: 1500,
      holeAbove: 65_535,
      up: true,
      delayMs: 1,
    };
    this.#wires.set(key, wire);
    return wire;
  }

  /** A TCP connection between two peers has passed the introduction: prepare both ends. */
  prepare(dialler: FakeHost, acceptor: FakeHost, seal?: Seal): Connection {
    const diallerLink = ++this.#lastLink;
    const acceptorLink = ++this.#lastLink;
    const common = { connectionUid: BigInt(diallerLink) * 0x0123456789abcdn };
    dialler.engine.prepare(diallerLink, {
      ...common,
      ...sealOf(dialler, acceptor, seal),
      remote: acceptor.name,
      outbound: true,
      localIp: dialler.ip,
      remoteIp: acceptor.ip,
      remotePort: sleevePort,
    });
    acceptor.engine.prepare(acceptorLink, {
      ...common,
      ...sealOf(acceptor, dialler, seal),
      remote: dialler.name,
      outbound: false,
      localIp: acceptor.ip,
      remoteIp: dialler.ip,
      remotePort: 40_000,
    });
    const connection = { dialler, acceptor, diallerLink, acceptorLink };
    this.connections.push(connection);
    return connection;
  }

  connect(dialler: FakeHost, acceptor: FakeHost, seal?: Seal): Connection {
    const connection = this.prepare(dialler, acceptor, seal);
    dialler.engine.confirm(connection.diallerLink);
    acceptor.engine.confirm(connection.acceptorLink);
    return connection;
  }

  /** Tells every host of all hosts and of the given connections as established links. */
  announce(connections: readonly Connection[] = this.connections): void {
    const snapshot = {
      peers: this.hosts.map(({ name, shortId }) => ({ name, nickname: "", shortId })),
      links: connections.map(({ dialler, acceptor }) => [dialler.name, acceptor.name] as const),
    };
    for (const { engine } of this.hosts) engine.setTopology(snapshot);
  }

  carry(from: FakeHost, { to, df, bytes }: SentDatagram): SendResult {
    const target = this.#hostAt(to);
    if (target === undefined) return "sent";
    const wire = this.wire(from, target);
    const size = bytes.length + ipAndUdp[familyOf(to.ip)];
    if (df && size > wire.kernelMtu) return { pathMtu: wire.kernelMtu };
    if (!wire.up || size > wire.holeAbove) return "sent";
    const source = this.translated.get(from) ?? { ip: from.ip, port: sleevePort };
    this.at(this.nowMs + wire.delayMs, () => target.receive(bytes.slice(), source));
    return "sent";
  }

  #hostAt(to: UdpEndpoint): FakeHost | undefined {
    const behind = [...this.translated].find(
      ([, seen]) => seen.ip === to.ip && seen.port === to.port,
    )?.[0];
    if (behind !== undefined) return behind;
    return this.hosts.find(
      (host) => host.ip === to.ip && to.port === sleevePort && !this.translated.has(host),
    );
  }

  control(from: FakeHost, link: number, tag: number, body: Uint8Array): void {
    for (const each of this.connections) {
      const { dialler, acceptor, diallerLink, acceptorLink } = each;
      if (from === dialler && link === diallerLink) {
        this.at(this.nowMs + 1, () => acceptor.engine.control(acceptorLink, tag, body));
      } else if (from === acceptor && link === acceptorLink) {
        this.at(this.nowMs + 1, () => dialler.engine.control(diallerLink, tag, body));
      }
    }
  }

  at(atMs: number, action: () => void): void {
    const index = this.#queue.findIndex((other) => other.atMs > atMs);
    this.#queue.splice(index < 0 ? this.#queue.length : index, 0, { atMs, action });
  }

  /** Lets so much time pass. */
  run(durationMs: number): void {
    const untilMs = this.nowMs + durationMs;
    for (;;) {
      const host = this.hosts.reduce((a, b) =>
        b.engine.nextDeadlineMs() < a.engine.nextDeadlineMs() ? b : a,
      );
      const timerMs = host.engine.nextDeadlineMs();
      const next = this.#queue[0];
      const atMs = Math.min(timerMs, next?.atMs ?? Number.POSITIVE_INFINITY);
      if (atMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, atMs);
      if (next !== undefined && next.atMs <= timerMs) {
        this.#queue.shift();
        next.action();
      } else {
        host.engine.tick(this.nowMs);
      }
    }
    this.nowMs = untilMs;
  }
}

/** An Ethernet frame of this type between two addresses, filled up with a pattern. */
export function frameOf(
  destination: number,
  source: number,
  { type = 0x88b5, length = 60 }: { type?: number; length?: number } = {},
): Uint8Array {
  const hex = (mac: number): string => mac.toString(16).padStart(12, "0");
  const head = Uint8Array.fromHex(
    `${hex(destination)}${hex(source)}${type.toString(16).padStart(4, "0")}`,
  );
  const frame = new Uint8Array(length).fill(0x5a);
  frame.set(head);
  return frame;
}

/** An IPv4 frame whose packet has `packet` octets. */
export function ipv4Frame(
  destination: number,
  source: number,
  { packet, df = false, claims = packet }: { packet: number; df?: boolean; claims?: number },
): Uint8Array {
  const frame = frameOf(destination, source, { type: 0x0800, length: 14 + packet });
  const header = `4500${claims.toString(16).padStart(4, "0")}1234${df ? "4000" : "0000"}401100000a0201040a020107`;
  frame.set(Uint8Array.fromHex(header), 14);
  return frame;
}
