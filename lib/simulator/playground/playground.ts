import { errorText } from "../../base/errors.ts";
import { formatIpv4, type Ipv4Cidr, parseIpv4Cidr } from "../../base/ip.ts";
import { Latest } from "../../incident/latest.ts";
import { gaveWay } from "../../mesh/connection-table.ts";
import type { Passage } from "../../mesh/passage.ts";
import type { PlaneEvent } from "../../peer/control-plane.ts";
import { beliefsOf, mutualLinks } from "../beliefs.ts";
import { ipOf, SimCluster } from "../cluster.ts";
import type { Cable, Flight, PlaygroundContainer, PlaygroundHost, PlaygroundView } from "./view.ts";

export const playgroundHosts = [1, 2, 3, 4, 5] as const;
/** Small enough that a host runs out of addresses before who plays loses patience. */
export const playgroundRange = "10.32.0.0/26";

/** One way; long enough that messages can be seen. */
const delayMs = 250;
const flightsMax = 300;
const logMax = 200;
const containersMax = 200;
const domain = "weave.local.";
const subnet: Ipv4Cidr = parseIpv4Cidr(playgroundRange);

/** A cable by the ends that it leads to; what is pulled is plugged in by calling these. */
interface Pulled {
  readonly way: "both" | readonly [number, number];
  readonly heal: () => void;
}

/**
 * Five hosts with the real protocols, for who wants to pull cables: the model of a page that knows
 * no browser. Nothing happens but in {@link advance}.
 */
export class Playground {
  readonly cluster: SimCluster;
  readonly #pulled = new Map<string, Pulled>();
  readonly #containers: (PlaygroundContainer & { readonly host: number })[] = [];
  readonly #log = new Latest<{ readonly atMs: number; readonly text: string }>(logMax);
  #flights: Flight[] = [];
  #made = 0;

  constructor(seed = 1) {
    this.cluster = new SimCluster(seed, {
      link: { delayMs, jitterMs: 50 },
      control: {
        ipalloc: {
          ...{ range: playgroundRange, defaultSubnet: playgroundRange },
          init: `consensus=${playgroundHosts.length}`,
        },
        dns: { domain },
      },
      onEvent: (number, event) => this.#tell(number, event),
      onPassage: (number, passage) => this.#fly(number, passage),
    });
    for (const number of playgroundHosts) this.#start(number);
  }

  get nowMs(): number {
    return this.cluster.clock.nowMs;
  }

  /** Lets virtual time pass. */
  async advance(durationMs: number): Promise<void> {
    await this.cluster.run(durationMs, 50);
    this.#flights = this.#flights.filter(({ arriveMs }) => arriveMs > this.nowMs);
  }

  cableOf(a: number, b: number): Cable {
    return this.#pulled.get(keyOf(a, b))?.way ?? "whole";
  }

  /** Pulls the cable between two hosts, or cuts the one way of it alone. */
  cut(from: number, to: number, way: "both" | "one" = "both"): void {
    this.#pull(from, to, way);
    this.#note(
      way === "both"
        ? `you cut the cable between ${from} and ${to}`
        : `you cut the way from ${from} to ${to}; the way back works`,
    );
  }

  heal(a: number, b: number): void {
    if (this.#heal(a, b)) this.#note(`you plug the cable between ${a} and ${b} in again`);
    for (const number of [a, b]) this.#redial(number);
  }

  healAll(): void {
    this.#note("you plug everything in again");
    for (const { heal } of this.#pulled.values()) heal();
    this.#pulled.clear();
    for (const number of playgroundHosts) this.#redial(number);
  }

  /** Cuts every cable between two groups. */
  split(group: readonly number[]): void {
    const rest = playgroundHosts.filter((number) => !group.includes(number));
    for (const a of group) for (const b of rest) this.#pull(a, b, "both");
    this.#note(`you cut all cables between ${group.join(", ")} and ${rest.join(", ")}`);
  }

  /** The process dies, as with kill -9; its containers live on, and the disk is kept. */
  kill(number: number): void {
    this.cluster.kill(number, { silent: false });
    this.#note(`you kill the router of ${number}`);
  }

  restart(number: number): void {
    if (this.cluster.peer(number) !== undefined) return;
    this.#note(`you start the router of ${number} again: it knows what was on its disk`);
    this.#start(number);
    for (const { host, name, address } of this.#containers) {
      if (host === number && address !== undefined) this.#register(number, name, address);
    }
  }

  /** Starts a container: it gets an address and a name as soon as the host can give one. */
  addContainer(host: number): void {
    const allocator = this.cluster.peer(host)?.plane.ipam?.allocator;
    if (allocator === undefined || this.#containers.length >= containersMax) return;
    const name = `c${++this.#made}`;
    const container: { address: number | undefined } & PlaygroundContainer & { host: number } = {
      ...{ name, host, address: undefined },
    };
    this.#containers.push(container);
    this.#note(`you start ${name} on ${host}: it asks for an address`);
    allocator.allocate(name, subnet, { isContainer: true }).then(
      ({ address }) => {
        container.address = address;
        this.#note(`${host} gives ${formatIpv4(address)} to ${name}`);
        this.#register(host, name, address);
      },
      (error: unknown) => {
        this.#containers.splice(this.#containers.indexOf(container), 1);
        this.#note(`${name} gets no address: ${errorText(error)}`);
      },
    );
  }

  view(): PlaygroundView {
    const beliefs = beliefsOf(this.cluster);
    const carrying = new Set(mutualLinks(this.cluster).map(([a, b]) => keyOf(a, b)));
    return {
      nowMs: this.nowMs,
      hosts: playgroundHosts.map((number) => this.#host(number)),
      beliefs,
      cables: playgroundHosts.flatMap((a) =>
        playgroundHosts
          .filter((b) => b > a)
          .map((b) => ({ a, b, cable: this.cableOf(a, b), carries: carrying.has(keyOf(a, b)) })),
      ),
      flights: this.#flights,
      log: this.#log.list(),
      addressesTwice: this.cluster.doublyHeld(),
    };
  }

  #host(number: number): PlaygroundHost {
    const peer = this.cluster.peer(number);
    const names = (peer?.plane.names?.entries() ?? [])
      .filter(({ tombstone }) => tombstone === 0)
      .map(({ hostname, address }) => ({
        ...{ name: hostname.replace(`.${domain}`, ""), address: formatIpv4(address) },
      }));
    return {
      ...{ number, isRunning: peer !== undefined, names },
      peer: this.cluster.nameOf(number),
      containers: this.#containers.filter(({ host }) => host === number),
    };
  }

  #start(number: number): void {
    this.cluster.start(number, [ipOf(1), ipOf(2)]);
  }

  #redial(number: number): void {
    const targets = playgroundHosts.filter((other) => other !== number).map(ipOf);
    this.cluster.peer(number)?.plane.mesh.connect(targets, { replace: false });
  }

  #register(host: number, name: string, value: number): void {
    const peer = this.cluster.peer(host);
    peer?.plane.names?.add(`${name}.${domain}`, name, { family: 4, value });
  }

  #pull(from: number, to: number, way: "both" | "one"): void {
    this.#heal(from, to);
    const { network } = this.cluster;
    const [a, b] = [ipOf(from), ipOf(to)];
    const pulled: Pulled =
      way === "both"
        ? { way: "both", heal: network.cut(a, b) }
        : { way: [from, to], heal: network.cutOneWay(a, b) };
    this.#pulled.set(keyOf(from, to), pulled);
  }

  #heal(a: number, b: number): boolean {
    this.#pulled.get(keyOf(a, b))?.heal();
    return this.#pulled.delete(keyOf(a, b));
  }

  #note(text: string): void {
    this.#log.add({ atMs: this.nowMs, text });
  }

  #tell(number: number, event: PlaneEvent): void {
    if (event.kind === "refused") {
      this.#note(`${number} refuses something: ${event.error.message}`);
      return;
    }
    const other = playgroundHosts.find((each) => this.cluster.nameOf(each) === event.peer);
    if (other === undefined || other === number) return;
    if (event.kind === "removed") this.#note(`nothing leads from ${number} to ${other} any more`);
    if (event.kind === "disconnected" && !gaveWay(event.error)) {
      this.#note(`${number} has lost ${other}: ${errorText(event.error)}`);
    }
    // Both ends say it.
    if (event.kind === "established" && number < other)
      this.#note(`${number} and ${other} are linked`);
  }

  #fly(from: number, { direction, neighbour, channel, kind, bytes }: Passage): void {
    if (direction === "in") return;
    const to = playgroundHosts.find((each) => this.cluster.nameOf(each) === neighbour);
    if (to === undefined || this.#flights.length >= flightsMax) return;
    const arriveMs = this.nowMs + delayMs;
    const isLost = this.cluster.network.isCut(ipOf(from), ipOf(to));
    this.#flights.push({ from, to, channel, kind, bytes, departMs: this.nowMs, arriveMs, isLost });
  }
}

function keyOf(a: number, b: number): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
