import { type HostIp, tryParseHostIp } from "../../lib/base/ip.ts";
import { labelsOf } from "../../lib/policy/labels.ts";
import type { AllowRule, NetworkPolicy, Peer, Pod, Selector } from "../../lib/policy/objects.ts";

/** Short ways to say who there is. */
export function has(key: string, ...values: string[]): Selector {
  return [{ key, operator: "In", values }];
}

export function ip(text: string): HostIp {
  const address = tryParseHostIp(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

/** Of namespace and name, with an address, and labels if there are any. */
export function podAt(
  place: string,
  address: string,
  labels: Readonly<Record<string, string>> = {},
  rest: Partial<Pod> = {},
): Pod {
  const [namespace, name] = place.split("/") as [string, string];
  return {
    ...{ id: place, namespace, name, labels: labelsOf(labels), addresses: [ip(address)] },
    ...{ ports: [], isLocal: true, sinceMs: 0, ...rest },
  };
}

export function policyOf(place: string, rest: Partial<NetworkPolicy> = {}): NetworkPolicy {
  const [namespace, name] = place.split("/") as [string, string];
  return { namespace, name, podSelector: [], ...rest };
}

export const ownPods = (pods: Selector): Peer => ({ kind: "pods", namespaces: "own", pods });

export const podsIn = (namespaces: Selector, pods: Selector = []): Peer => ({
  ...{ kind: "pods", namespaces, pods },
});

export function from(...peers: Peer[]): AllowRule[] {
  return [{ peers, ports: "any" }];
}
