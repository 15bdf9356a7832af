import type { HostIp } from "../../base/ip.ts";
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
 *   interface of a pod that is known       the pod has the address, as of when it was made
 *   interface of one that is not, or gone  the address is held: nothing of it passes
 */
export class AdmittedPods implements ObjectSink<Pod> {
  readonly #filter: PodFilter;
  readonly #interfaces = new Map<string, PodInterface>();
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

  /** Addresses that nothing passes to or from, because nobody knows whose they are. */
  get held(): number {
    let held = 0;
    for (const each of this.#interfaces.values()) {
      if (this.#owner(each) === undefined) held += each.addresses.length;
    }
    return held;
  }

  isKnown(made: PodInterface): boolean {
    return this.#owner(made) !== undefined;
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
    for (const address of gone.addresses) this.#filter.release(address);
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
      const isKnown = this.#owner(each) !== undefined;
      for (const address of each.addresses) {
        if (isKnown) this.#filter.release(address);
        else this.#filter.hold(address);
      }
    }
  }

  #owner(made: PodInterface): Pod | undefined {
    const pods = this.#pods.get(placeOf(made));
    if (pods === undefined) return undefined;
    if (made.uid !== undefined) return pods.get(made.uid);
    return [...pods.values()].reduce((latest, pod) =>
      pod.sinceMs > latest.sinceMs ? pod : latest,
    );
  }
}

function withInterfaces(pod: Pod, interfaces: readonly PodInterface[]): Pod {
  if (interfaces.length === 0) return pod;
  return {
    ...pod,
    isLocal: true,
    addresses: [...new Set([...pod.addresses, ...interfaces.flatMap((each) => each.addresses)])],
    sinceMs: Math.max(pod.sinceMs, ...interfaces.map((each) => each.sinceMs)),
  };
}

function placeOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}
