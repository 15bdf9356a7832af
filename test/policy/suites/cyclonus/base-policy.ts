import {
  type Action,
  type PeerJson,
  type PodName,
  type PortJson,
  policyJson,
  type SelectorJson,
} from "../suite-case.ts";

export type Direction = "ingress" | "egress";
export const directions: readonly Direction[] = ["ingress", "egress"];

export type AddressOf = (pod: PodName) => string;
/** What is done, step by step. */
export type Actions = (addressOf: AddressOf) => readonly (readonly Action[])[];

export const all: SelectorJson = {};
export const label = (key: string, value: string): SelectorJson => ({
  matchLabels: { [key]: value },
});
export const oneOf = (key: string, ...values: string[]): SelectorJson => ({
  matchExpressions: [{ key, operator: "In", values }],
});

const tcp80: PortJson = { protocol: "TCP", port: 80 };

/** Half of the policy that all cases begin with. */
interface Half {
  readonly peers: readonly PeerJson[];
  readonly ports: readonly PortJson[];
}

interface Parts {
  readonly namespace: string;
  readonly target: SelectorJson;
  readonly ingress: Half | "deny" | "allow";
  readonly egress: Half | "deny" | "allow";
}

const base: Omit<Parts, Direction> & Record<Direction, Half> = {
  ...{ namespace: "x", target: label("pod", "a") },
  ingress: {
    peers: [{ podSelector: oneOf("pod", "b", "c"), namespaceSelector: oneOf("ns", "x", "y") }],
    ports: [tcp80],
  },
  egress: {
    peers: [{ podSelector: oneOf("pod", "a", "b"), namespaceSelector: oneOf("ns", "y", "z") }],
    ports: [tcp80],
  },
};

/** Names are looked up while services are probed. */
const toNameServers: readonly PortJson[] = [
  { protocol: "TCP", port: 53 },
  { protocol: "UDP", port: 53 },
];

export function basePolicy(change: Partial<Parts> = {}): Action {
  const { namespace, target, ingress, egress } = { ...base, ...change };
  const rules = <Field extends "from" | "to">(half: Parts["ingress"], field: Field) => {
    if (half === "deny") return [];
    if (half === "allow") return [{}];
    return [{ [field]: half.peers, ports: half.ports }];
  };
  const policy = policyJson(namespace, "base", {
    ...{ podSelector: target, policyTypes: ["Ingress", "Egress"] },
    ingress: rules(ingress, "from"),
    egress: [...rules(egress, "to"), { ports: toNameServers }],
  });
  return { do: "put-policy", policy };
}

export const withPeers = (direction: Direction, ...peers: PeerJson[]): Action =>
  basePolicy({ [direction]: { ...base[direction], peers } });

export const withPorts = (direction: Direction, ...ports: PortJson[]): Action =>
  basePolicy({ [direction]: { ...base[direction], ports } });

export const once =
  (action: Action): Actions =>
  () => [[action]];
