import { type Action, type PeerJson, type PolicySpecJson, policyJson } from "../suite-case.ts";
import { type Actions, all, type Direction, directions, label } from "./base-policy.ts";

type Wide =
  | "allow all"
  | "deny all"
  | "allow all pods"
  | "allow all addresses"
  | "allow two addresses nobody has"
  | "allow a namespace nobody has";

const widePeers: Readonly<Record<Wide, readonly PeerJson[] | undefined>> = {
  "allow all": [],
  "deny all": undefined,
  "allow all pods": [{ namespaceSelector: all }],
  "allow all addresses": [{ ipBlock: { cidr: "0.0.0.0/0" } }],
  "allow two addresses nobody has": [{ ipBlock: { cidr: "0.0.0.0/31" } }],
  "allow a namespace nobody has": [
    { namespaceSelector: label("this-will-never-happen", "qrs123") },
  ],
};

/** Policies of one direction each, of x/b or y/c, that say opposite things. */
function wide(direction: Direction, what: Wide, pod: "x/b" | "y/c"): Action {
  const peers = widePeers[what];
  const [namespace, name] = pod.split("/") as [string, string];
  const field = direction === "ingress" ? "from" : "to";
  const list = peers === undefined ? [] : [peers.length === 0 ? {} : { [field]: peers }];
  const spec: PolicySpecJson = {
    podSelector: label("pod", name),
    policyTypes: [direction === "ingress" ? "Ingress" : "Egress"],
    [direction]: list,
  };
  return {
    do: "put-policy",
    policy: policyJson(namespace, `${direction} ${what}`.replaceAll(" ", "-"), spec),
  };
}

/** Where all is denied, or nobody who is there is allowed, and another policy allows all. */
const opposites: readonly (readonly [Wide, Wide])[] = [
  ["deny all", "allow all"],
  ["deny all", "allow all pods"],
  ["deny all", "allow all addresses"],
  ["allow two addresses nobody has", "allow all pods"],
  ["allow a namespace nobody has", "allow all addresses"],
];

const unreachable = ["allow two addresses nobody has", "allow a namespace nobody has"] as const;

/** Policies that say opposite things. */
export const conflict: readonly [string, Actions][] = [
  [
    "allows all ingress of one end and denies all egress of the other",
    () => [[wide("egress", "deny all", "x/b"), wide("ingress", "allow all", "y/c")]],
  ],
  [
    "allows all egress of one end and denies all ingress of the other",
    () => [[wide("egress", "allow all", "x/b"), wide("ingress", "deny all", "y/c")]],
  ],
  ...directions.flatMap((direction): [string, Actions][] => {
    const pod = direction === "egress" ? "x/b" : "y/c";
    return [
      ...opposites.map(([closed, opened]): [string, Actions] => [
        `has policies for ${direction}: ${closed}, and ${opened}`,
        () => [[wide(direction, closed, pod), wide(direction, opened, pod)]],
      ]),
      ...unreachable.map((closed): [string, Actions] => [
        `has a policy for ${direction}: ${closed}`,
        () => [[wide(direction, closed, pod)]],
      ]),
    ];
  }),
];
