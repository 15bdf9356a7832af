import { familyOf, type HostIp } from "../../base/ip.ts";
import type { Pod } from "../../policy/objects.ts";
import type { ObjectSink } from "./object-table.ts";

/** An interface of this host that a runtime has had made for a pod, as the runtime names that. */
export interface PodInterface {
  /** The runtime's id of the sandbox. */
  readonly container: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the pod; missing where the runtime does not tell. */
  readonly uid?: string | undefined;
  readonly addresses: readonly HostIp[];
  /** When it was made, in ms since 1970. */
  readonly sinceMs: number;
}

/** What pods become in a packet filter. `PolicyCompiler` is the one there is. */
export interface PodFilter {
  putPod(pod: Pod): void;
  removePod(id: string): void;
  hold(address: HostIp): void;
  release(address: HostIp): void;
}

/**
 * Pods as their cluster tells of them, with the addresses that they have been given here: a pod sends
 * packets long before its cluster knows an address of it, and has them until its interface is gone.
 *
 *   interface of a pod that is known       the pod has the address, and no other of its family
 *   interface of one that is not, or gone  the address is held: nothing of it passes
 *   the same where its namespace is not    held as well: policies of the cluster go by namespaces
 */
export class AdmittedPods implements ObjectSink<Pod> {
  readonly #filter: PodFilter;
  readonly #interfaces = new Map<string, PodInterface>();
  /** Addresses that are held, and for which interfaces: two may have one while the former goes. */
  readonly #held = new Map<HostIp, Set<PodInterface>>();
  /** Those that the cluster has told of. */
  readonly #namespaces = new Set<string>();
  /** Of one name there may be an old one, on its way out, and a new one. */
  readonly #pods = new Map<string, Map<string, Pod>>();

  constructor(filter: PodFilter) {
    this.#filter = filter;
  }

  put(pod: Pod): void {
    const place = placeOf(pod);
    const namesakes = this.#pods.get(place) ?? new Map<string, Pod>();
    this.#pods.set(place, namesakes.set(pod.id, pod));
    this.#refresh(place);
  }

  remove(pod: Pod): void {
    const place = placeOf(pod);
    const namesakes = this.#pods.get(place);
    namesakes?.delete(pod.id);
    if (namesakes?.size === 0) this.#pods.delete(place);
    this.#filter.removePod(pod.id);
    this.#refresh(place);
  }

  namespaceTold(namespace: string): void {
    if (this.#namespaces.has(namespace)) return;
    this.#namespaces.add(namespace);
    const concerned = this.all().filter((each) => each.namespace === namespace);
    for (const place of new Set(concerned.map(placeOf))) this.#refresh(place);
  }

  /** Its pods have gone before it. */
  namespaceGone(namespace: string): void {
    this.#namespaces.delete(namespace);
  }

  /** Addresses that nothing passes to or from, because nobody knows whose they are. */
  get held(): number {
    let held = 0;
    for (const each of this.#interfaces.values()) {
      if (this.#owner(each) === undefined) held += each.addresses.length;
    }
    return held;
  }

  all(): readonly PodInterface[] {
    return [...this.#interfaces.values()];
  }

  of(container: string): PodInterface | undefined {
    return this.#interfaces.get(container);
  }

  /** Whether it is known which pod it is of. */
  isKnown(made: PodInterface): boolean {
    return this.#podOf(made) !== undefined;
  }

  /** An interface is about to be there. */
  admit(made: PodInterface): void {
    this.dismiss(made.container);
    this.#interfaces.set(made.container, made);
    this.#refresh(placeOf(made));
  }

  /** It is gone. */
  dismiss(container: string): void {
    const gone = this.#interfaces.get(container);
    if (gone === undefined) return;
    this.#interfaces.delete(container);
    this.#release(gone);
    this.#refresh(placeOf(gone));
  }

  #refresh(place: string): void {
    const pods = this.#pods.get(place) ?? new Map<string, Pod>();
    const interfaces = [...this.#interfaces.values()].filter((each) => placeOf(each) === place);
    for (const pod of pods.values()) {
      this.#filter.putPod(
        withInterfaces(
          pod,
          interfaces.filter((each) => this.#owner(each) === pod),
        ),
      );
    }
    for (const each of interfaces) {
      if (this.#owner(each) === undefined) this.#hold(each);
      else this.#release(each);
    }
  }

  #hold(made: PodInterface): void {
    for (const address of made.addresses) {
      const holders = this.#held.get(address) ?? new Set();
      if (holders.size === 0) this.#filter.hold(address);
      this.#held.set(address, holders.add(made));
    }
  }

  #release(made: PodInterface): void {
    for (const address of made.addresses) {
      const holders = this.#held.get(address);
      if (holders?.delete(made) !== true || holders.size > 0) continue;
      this.#held.delete(address);
      this.#filter.release(address);
    }
  }

  /** Whose it is, once all is known that decides about that pod. */
  #owner(made: PodInterface): Pod | undefined {
    return this.#namespaces.has(made.namespace) ? this.#podOf(made) : undefined;
  }

  #podOf(made: PodInterface): Pod | undefined {
    const pods = this.#pods.get(placeOf(made));
    if (pods === undefined) return undefined;
    if (made.uid !== undefined) {
      return pods.get(made.uid) ?? [...pods.values()].find((pod) => mayBeOf(made, pod));
    }
    return [...pods.values()].reduce((latest, pod) =>
      pod.sinceMs > latest.sinceMs ? pod : latest,
    );
  }
}

/** Of pods with the name that a runtime has told, whether one may be that of the interface. */
export function mayBeOf({ uid }: PodInterface, { id, runtimeId }: Pod): boolean {
  return uid === undefined || uid === id || uid === runtimeId;
}

/** Of the families that its interfaces have, what its cluster tells may be of a former one. */
function withInterfaces(pod: Pod, interfaces: readonly PodInterface[]): Pod {
  if (interfaces.length === 0) return pod;
  const own = new Set(interfaces.flatMap((each) => each.addresses));
  const families = new Set([...own].map(familyOf));
  return {
    ...pod,
    isLocal: true,
    isAttached: true,
    addresses: [...own, ...pod.addresses.filter((address) => !families.has(familyOf(address)))],
    sinceMs: Math.max(pod.sinceMs, ...interfaces.map((each) => each.sinceMs)),
  };
}

function placeOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}
