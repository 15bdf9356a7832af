import type { PodInterface } from "./admitted-pods.ts";
import type { HostPods } from "./host-pods.ts";
import type { PolicyController } from "./policy-controller.ts";

/** Interfaces of this host that were made for pods of a cluster, as its controller is told of them. */
export class PodInterfaces {
  readonly #pods: HostPods;

  constructor(pods: HostPods) {
    this.#pods = pods;
  }

  /**
   * That of a container whose runtime has said of which pod it is, with all of its addresses.
   *
   * @param isSaidNow false: only where the runtime has said which object the pod is
   */
  of(container: string, isSaidNow: boolean): PodInterface | undefined {
    const facts = this.#pods.facts(container);
    if (facts === undefined || (facts.uid === "" && !isSaidNow)) return undefined;
    const { namespace, name, uid, sinceMs } = facts;
    const addresses = this.#pods.addressesOf(container);
    return { container, namespace, name, addresses, sinceMs, ...(uid !== "" && { uid }) };
  }

  /** Those that were attached before this process began. */
  admitAgain({ tables }: Pick<PolicyController, "tables">, containers: Iterable<string>): void {
    for (const container of containers) {
      const made = this.of(container, false);
      if (made !== undefined) tables.admitted.admit(made);
    }
  }

  /** Those that have got other addresses since, or lost some: an operator may attach one as well. */
  follow(controller: Pick<PolicyController, "tables" | "readmit">): void {
    for (const made of controller.tables.admitted.all()) {
      const addresses = this.#pods.addressesOf(made.container);
      const isSame = new Set(addresses).symmetricDifference(new Set(made.addresses)).size === 0;
      if (addresses.length > 0 && !isSame) controller.readmit({ ...made, addresses });
    }
  }
}
