import type { Cancel } from "../base/world.ts";
import { ipOf, type SimCluster } from "./cluster.ts";
import type { History } from "./history.ts";
import type { Machines } from "./machines.ts";
import { describe, type Fault, peersOf } from "./plan.ts";

/** Makes things go wrong, and right again when their time is over or {@link endAll} is called. */
export class Faults {
  readonly #history: History;
  readonly #machines: Machines;
  readonly #lasting = new Set<() => void>();

  constructor(history: History, machines: Machines) {
    this.#history = history;
    this.#machines = machines;
  }

  carryOut(fault: Fault): void {
    const done = this.#begin(fault);
    if (done !== undefined) {
      this.#history.note(`${describe(fault)}${done}`, marks[fault.kind], peersOf(fault));
    }
  }

  /** All that lasts is over at once. */
  endAll(): void {
    for (const end of [...this.#lasting]) end();
  }

  /** What to add to the description; `undefined` when nothing was done. */
  #begin(fault: Fault): string | undefined {
    const { cluster } = this.#history;
    const { network } = cluster;
    switch (fault.kind) {
      case "reset":
        network.reset(ipOf(fault.a), ipOf(fault.b));
        return "";
      case "redial":
        return redial(cluster, fault.a, fault.b);
      case "cut":
        this.#last(fault.forMs, network.cut(ipOf(fault.a), ipOf(fault.b)));
        return "";
      case "one-way cut":
        this.#last(fault.forMs, network.cutOneWay(ipOf(fault.from), ipOf(fault.to)));
        return "";
      case "partition":
        this.#partition(fault.group, fault.forMs);
        return "";
      case "slow link":
        return this.#slowLink(fault);
      case "slow peer":
        network.throttle(ipOf(fault.peer), fault.bytesPerMs);
        this.#last(fault.forMs, () => network.unthrottle(ipOf(fault.peer)));
        return "";
      case "disk full":
        return this.#fillDisk(fault.peer, fault.forMs);
      case "clock skew":
        return this.#skew(fault.peer, fault.skewMs, fault.forMs);
      default:
        return this.#befall(fault);
    }
  }

  /** What happens to a machine as a whole. */
  #befall(fault: Extract<Fault, { kind: "kill" | "wipe" | "leave" | "upgrade" }>) {
    const machines = this.#machines;
    const { peer } = fault;
    switch (fault.kind) {
      case "kill":
        return machines.kill(peer, fault.silent, fault.backAfterMs) ? "" : undefined;
      case "leave":
        return machines.leave(peer, fault.backAfterMs) ? "" : undefined;
      case "upgrade":
        return machines.upgrade(peer, fault.release) ? "" : undefined;
      case "wipe": {
        const outcome = machines.wipe(peer, fault.silent, fault.backAfterMs);
        if (outcome === "wiped" && fault.takenOverBy !== undefined) {
          machines.takeOver(peer, fault.takenOverBy);
        }
        if (outcome === "killed") return ", but not the disk: not all have heard what it gave away";
        return outcome === "wiped" ? "" : undefined;
      }
    }
  }

  #partition(group: readonly number[], forMs: number): void {
    const { cluster, shape } = this.#history;
    const inside = new Set(group);
    const heals: Cancel[] = [];
    for (const a of group) {
      for (let b = 1; b <= shape.peers; b++) {
        if (!inside.has(b)) heals.push(cluster.network.cut(ipOf(a), ipOf(b)));
      }
    }
    this.#last(forMs, () => {
      for (const heal of heals) heal();
    });
  }

  #slowLink({ a, b, delayMs, jitterMs, forMs }: Extract<Fault, { kind: "slow link" }>): string {
    const { network } = this.#history.cluster;
    const { shape } = this.#history;
    network.link(ipOf(a), ipOf(b), { delayMs, jitterMs });
    this.#last(forMs, () =>
      network.link(ipOf(a), ipOf(b), { delayMs: shape.delayMs, jitterMs: shape.jitterMs }),
    );
    return "";
  }

  #fillDisk(number: number, forMs: number): string | undefined {
    const disk = this.#history.cluster.disk(number);
    if (disk === undefined) return undefined;
    disk.isFull = true;
    this.#last(forMs, () => {
      disk.isFull = false;
    });
    return "";
  }

  #skew(number: number, skewMs: number, forMs: number): string | undefined {
    const world = this.#history.cluster.peer(number)?.world;
    if (world === undefined) return undefined;
    world.skewMs = skewMs;
    this.#last(forMs, () => {
      world.skewMs = 0;
    });
    return "";
  }

  #last(forMs: number, end: () => void): void {
    const once = (): void => {
      cancel();
      if (this.#lasting.delete(once)) end();
    };
    const cancel = this.#history.cluster.clock.after(forMs, once);
    this.#lasting.add(once);
  }
}

function redial(cluster: SimCluster, a: number, b: number): string | undefined {
  const [first, second] = [cluster.peer(a), cluster.peer(b)];
  if (first === undefined || second === undefined) return undefined;
  first.plane.mesh.connect([second.ip], { replace: false });
  second.plane.mesh.connect([first.ip], { replace: false });
  return "";
}

/** How the drawing shows them. */
const marks: Readonly<Record<Fault["kind"], string>> = {
  reset: "r",
  cut: "c",
  "one-way cut": "o",
  partition: "P",
  "slow link": "s",
  "slow peer": "S",
  redial: "d",
  "disk full": "f",
  "clock skew": "k",
  kill: "K",
  wipe: "W",
  leave: "L",
  upgrade: "U",
};
