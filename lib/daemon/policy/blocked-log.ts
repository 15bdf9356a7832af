import { measured, type Sample } from "../../api/metrics/measurement.ts";
import { everyBeat } from "../../base/beat.ts";
import { formatEndpoint } from "../../base/endpoint.ts";
import { errorText } from "../../base/errors.ts";
import { type EventDetails, type EventSink, noEvents } from "../../base/network-event.ts";
import type { Cancel, World } from "../../base/world.ts";
import type { BlockedPacket } from "../../policy/enforcer.ts";
import { type RecentBlock, RecentBlocks } from "./recent-blocks.ts";

/** How often it is asked what was dropped. */
const readPeriodMs = 500;

/** Lines of the log for what was dropped in one period; what is more is only counted. */
export const linesMax = 5;

/** Ports that are counted each by themselves; those that come later are counted as `other`. */
export const portsMax = 128;

/** The same for policies. */
export const originsMax = 256;

/** Who tells of packets that were dropped. `BlockedPackets` is the one there is. */
export interface BlockedTeller extends Disposable {
  read(): BlockedPacket[];
}

/**
 * Writes down what policies drop, in the words of the original (kubernetes.md §8.4), and counts it.
 * Memory, lines and labels are bounded, whatever somebody sends.
 */
export class BlockedLog {
  readonly #world: Pick<World, "after" | "monotonicMs" | "log">;
  readonly #open: () => BlockedTeller;
  readonly #emit: EventSink;
  readonly #byPort = new Map<string, Counted>();
  readonly #byOrigin = new Map<string, Counted>();
  readonly #recent = new RecentBlocks();
  #teller: BlockedTeller | undefined;
  #stop: Cancel | undefined;
  #trouble: string | undefined;

  /** @param open begins to listen; fails where somebody else does */
  constructor(
    world: Pick<World, "after" | "monotonicMs" | "log">,
    open: () => BlockedTeller,
    emit: EventSink = noEvents,
  ) {
    this.#world = world;
    this.#open = open;
    this.#emit = emit;
  }

  /** Listens from now on, or as soon as it can. Policies are enforced whether it can or not. */
  start(): void {
    if (this.#stop !== undefined) return;
    this.#listen();
    this.#stop = everyBeat(this.#world, readPeriodMs, () => this.#read());
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#teller?.[Symbol.dispose]();
    this.#teller = undefined;
  }

  /** For whoever asks why something does not answer. */
  lately(): RecentBlock[] {
    return this.#recent.lately(this.#world.monotonicMs());
  }

  measurements(): Sample[] {
    return [
      ...[...this.#byPort.values()].map(({ labels, count }) =>
        measured("weavenpc_blocked_connections_total", count, labels),
      ),
      ...[...this.#byOrigin.values()].map(({ labels, count }) =>
        measured("weave_policy_blocked_total", count, labels),
      ),
    ];
  }

  #read(): void {
    if (this.#teller === undefined) this.#listen();
    let packets: BlockedPacket[] = [];
    try {
      packets = this.#teller?.read() ?? [];
    } catch (error) {
      this.#teller?.[Symbol.dispose]();
      this.#unheard(error);
    }
    for (const packet of packets) {
      this.#count(packet);
      this.#recent.note(packet, this.#world.monotonicMs());
      this.#emit("policy.blocked", blockedDetails(packet));
    }
    for (const packet of packets.slice(0, linesMax)) this.#world.log.warn(blockedText(packet));
    const more = packets.length - linesMax;
    if (more > 0) this.#world.log.warn(`${more} more were blocked in the same moment`);
  }

  #listen(): void {
    try {
      this.#teller = this.#open();
      this.#trouble = undefined;
    } catch (error) {
      this.#unheard(error);
    }
  }

  /** Tried again at the next moment, and said once. */
  #unheard(error: unknown): void {
    this.#teller = undefined;
    const trouble = errorText(error);
    if (trouble !== this.#trouble) {
      this.#world.log.warn(`policy: what is dropped is not told: ${trouble}`);
    }
    this.#trouble = trouble;
  }

  #count({ protocol, ports, origin, direction }: BlockedPacket): void {
    const name = protocol.toLowerCase();
    const dport = ports === undefined ? "" : String(ports.destination);
    counted(this.#byPort, portsMax, { protocol: name, dport }, { protocol: name, dport: "other" });
    const policy = origin ?? "unknown";
    counted(this.#byOrigin, originsMax, { policy, direction }, { policy: "other", direction });
  }
}

function blockedDetails(packet: BlockedPacket): EventDetails["policy.blocked"] {
  const { origin, direction, protocol, source, destination, ports } = packet;
  const port = ports?.destination ?? null;
  return { policy: origin ?? "unknown", direction, protocol, source, destination, port };
}

interface Counted {
  readonly labels: Readonly<Record<string, string>>;
  count: number;
}

/** Counts one under its labels, or under `otherwise` when there are too many of them. */
function counted(
  counts: Map<string, Counted>,
  labelsMax: number,
  own: Counted["labels"],
  otherwise: Counted["labels"],
): void {
  const labels = counts.has(JSON.stringify(own)) || counts.size < labelsMax ? own : otherwise;
  const key = JSON.stringify(labels);
  const known = counts.get(key) ?? { labels, count: 0 };
  known.count++;
  counts.set(key, known);
}

/** `TCP connection from 10.32.0.1:40000 to 10.32.0.2:80 blocked by Weave NPC.` */
export function blockedText(packet: BlockedPacket): string {
  return `${connectionText(packet)} blocked by Weave NPC.`;
}

/** `TCP connection from 10.32.0.1:40000 to 10.32.0.2:80` */
export function connectionText({ protocol, source, destination, ports }: BlockedPacket): string {
  if (ports === undefined) {
    const what = protocol === "other" ? "packet" : `${protocol} packet`;
    return `${what} from ${source} to ${destination}`;
  }
  const from = formatEndpoint({ host: source, port: ports.source });
  const to = formatEndpoint({ host: destination, port: ports.destination });
  return `${protocol} connection from ${from} to ${to}`;
}
