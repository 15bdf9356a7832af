import { errorCode } from "../../base/errors.ts";
import { type HostIp, tryParseHostIp } from "../../base/ip.ts";
import type { HostPod } from "./pod-document.ts";
import { type KnownOfContainer, type PodFacts, podFacts, portsOf } from "./pod-facts.ts";
import type { PodStore } from "./pod-store.ts";

/** Before the id of a place in an engine's network: whose it is turns out when its container runs. */
export const endpointPrefix = "endpoint:";

/** Containers that are attached, and the addresses of each in CIDR notation. */
export type AttachedAddresses = ReadonlyMap<string, readonly string[]>;

/**
 * The containers of this host as policies see them: who they are, which is stored, and the addresses
 * that they have, or are about to have.
 */
export class HostPods {
  readonly #store: PodStore;
  readonly #facts: Map<string, PodFacts>;
  readonly #attached: () => AttachedAddresses;
  /** Of containers whose interface is being made. */
  readonly #coming = new Map<string, readonly HostIp[]>();

  constructor(store: PodStore, attached: () => AttachedAddresses) {
    this.#store = store;
    this.#facts = store.all();
    this.#attached = attached;
  }

  /**
   * A container is about to have these addresses. What is known of it by now is kept when less is
   * told: somebody who attaches it again need not say its labels again.
   *
   * @returns what to call when it has them, or has not got them
   */
  expect(known: KnownOfContainer, addresses: readonly HostIp[], nowMs: number): () => void {
    const { ident } = known;
    const before = this.#facts.get(ident);
    const labels = { ...(known.labels ?? before?.labels) };
    const name = known.name ?? before?.name;
    const pod = known.pod ?? podIn(before, known);
    this.#learn(ident, podFacts({ ...known, labels, name, pod }, nowMs));
    this.#coming.set(ident, addresses);
    return () => {
      if (this.#coming.get(ident) === addresses) this.#coming.delete(ident);
    };
  }

  /** Whether it is known who a container is. */
  facts(ident: string): PodFacts | undefined {
    return this.#facts.get(ident);
  }

  /** All that a container has, or is about to have. */
  addressesOf(ident: string): readonly HostIp[] {
    const attached = hostIps(this.#attached().get(ident) ?? []);
    return [...new Set([...attached, ...(this.#coming.get(ident) ?? [])])];
  }

  /** What is known of a container that is attached by other hands than ours. */
  learn(known: KnownOfContainer, nowMs: number): void {
    this.#learn(known.ident, podFacts(known, nowMs));
  }

  /** Places in an engine's networks whose container nobody has told of yet, and their addresses. */
  strangers(): Map<string, readonly HostIp[]> {
    const strangers = [...this.#attached()].filter(([ident]) => this.#isStranger(ident));
    return new Map(strangers.map(([ident, cidrs]) => [ident, hostIps(cidrs)]));
  }

  /** Forgets who is not attached any more. */
  tidy(): void {
    this.#forgetGone(this.#attached());
  }

  /** By container; who is attached and was never told of has its id for a name, and no labels. */
  all(): Map<string, HostPod> {
    const attached = this.#attached();
    this.#forgetGone(attached);
    const pods = new Map<string, HostPod>();
    for (const ident of new Set([...attached.keys(), ...this.#coming.keys()])) {
      if (this.#isStranger(ident)) continue;
      const { namespace, name, labels, sinceMs } = this.#facts.get(ident) ?? podFacts({ ident }, 0);
      const addresses = [...hostIps(attached.get(ident) ?? []), ...(this.#coming.get(ident) ?? [])];
      const ports = portsOf(labels);
      pods.set(ident, {
        ...{ namespace, name, labels, ports, sinceMs },
        addresses: [...new Set(addresses)],
      });
    }
    return pods;
  }

  #isStranger(ident: string): boolean {
    return ident.startsWith(endpointPrefix) && !this.#facts.has(ident);
  }

  #learn(ident: string, facts: PodFacts): void {
    this.#facts.set(ident, facts);
    this.#store.save(ident, facts);
  }

  /** What cannot be removed now is forgotten when the next start finds nobody of that name. */
  #unstore(ident: string): void {
    try {
      this.#store.remove(ident);
    } catch (error) {
      if (errorCode(error) !== "STORE_WRITE") throw error;
    }
  }

  #forgetGone(attached: AttachedAddresses): void {
    for (const ident of this.#facts.keys()) {
      if (attached.has(ident) || this.#coming.has(ident)) continue;
      this.#facts.delete(ident);
      this.#unstore(ident);
    }
  }
}

/** What a runtime has said of a container stays where others say less, or cannot know it. */
function podIn(
  before: PodFacts | undefined,
  { labels }: KnownOfContainer,
): KnownOfContainer["pod"] {
  if (before === undefined || (before.uid === "" && labels !== undefined)) return undefined;
  const { namespace, name, uid } = before;
  return { namespace, name, ...(uid !== "" && { uid }) };
}

/** Of all who attach containers: one that a runtime has attached may have been given others besides. */
export function attachedAddresses(
  parts: Iterable<readonly [container: string, cidrs: readonly string[]]>,
): AttachedAddresses {
  const all = new Map<string, readonly string[]>();
  for (const [container, cidrs] of parts) {
    all.set(container, [...(all.get(container) ?? []), ...cidrs]);
  }
  return all;
}

/** Addresses in CIDR notation, without their prefixes. */
export function hostIps(cidrs: readonly string[]): HostIp[] {
  return cidrs.flatMap((cidr) => tryParseHostIp(cidr.replace(/\/.*/, "")) ?? []);
}
