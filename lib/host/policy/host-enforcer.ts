import type { Log } from "../../base/world.ts";
import type { MulticastPolicy, PolicyEnforcer } from "../../policy/enforcer.ts";
import type { cutMark } from "./cut-mark.ts";
import type { LogLabels } from "./log-labels.ts";

/** What every packet filter has to know beside the rules. */
export interface EnforcerOptions {
  /** What pods are at: packets that come in by it are judged as egress, those that leave as ingress. */
  readonly bridge: string;
  readonly multicast: MulticastPolicy;
  /** Whether what belongs to connections that were cut is dropped ({@link cutMark}); absent: no. */
  readonly dropsCut?: boolean;
  readonly log: Log;
}

/** A packet filter of this host. It acts on the thread's network namespace. */
export interface HostEnforcer extends PolicyEnforcer {
  /** What packets that it drops are logged as. */
  readonly labels: LogLabels;
  /** How much is in place, for metrics. */
  size(): EnforcerSize;
}

export interface EnforcerSize {
  /** Of addresses and of ports, as the packet filter has them: one of each family. */
  readonly sets: number;
  /** Of all those sets. */
  readonly elements: number;
  readonly chains: number;
  readonly rules: number;
  /** Addresses whose packets are judged, counted once for each direction. */
  readonly targets: number;
}
