import { startingPods } from "./cluster-json.ts";
import type { PodName, Probe, Protocol } from "./suite-case.ts";

/** Whom a line of a table is about: one pod, all of a namespace (`x/*`), or all (`*`). */
type Pods = PodName | "*";

/**
 * A table of who reaches whom at one port, of the pods that every case starts with. Later lines
 * overrule earlier ones.
 */
export class Reachability {
  readonly #protocol: Protocol;
  readonly #port: number;
  readonly #allowed = new Map<string, boolean>();

  private constructor(protocol: Protocol, port: number, allowed: boolean) {
    this.#protocol = protocol;
    this.#port = port;
    this.#set("*", "*", allowed);
  }

  static open(protocol: Protocol, port: number): Reachability {
    return new Reachability(protocol, port, true);
  }

  static closed(protocol: Protocol, port: number): Reachability {
    return new Reachability(protocol, port, false);
  }

  allow(from: Pods, to: Pods): this {
    return this.#set(from, to, true);
  }

  deny(from: Pods, to: Pods): this {
    return this.#set(from, to, false);
  }

  allowEach(sources: readonly Pods[], to: Pods): this {
    for (const from of sources) this.allow(from, to);
    return this;
  }

  probes(): Probe[] {
    return [...this.#allowed].map(([pair, allowed]) => {
      const [from, to] = pair.split(" ") as [PodName, PodName];
      return { from, to, protocol: this.#protocol, port: this.#port, allowed };
    });
  }

  #set(from: Pods, to: Pods, allowed: boolean): this {
    for (const source of matching(from)) {
      for (const destination of matching(to)) {
        if (source !== destination) this.#allowed.set(`${source} ${destination}`, allowed);
      }
    }
    return this;
  }
}

function matching(pods: Pods): readonly PodName[] {
  if (pods === "*") return startingPods;
  if (!pods.endsWith("/*")) return [pods];
  return startingPods.filter((pod) => pod.startsWith(pods.slice(0, -1)));
}
