import { naivelyAllowed } from "../naive-evaluator.ts";
import {
  applied,
  type ClusterJson,
  nameOf,
  portName,
  protocols,
  servedPorts,
  startingCluster,
} from "./cluster-json.ts";
import {
  type Action,
  type PeerJson,
  type PodName,
  type PolicySpecJson,
  type PortJson,
  type Probe,
  policyJson,
  type SelectorJson,
  type Step,
  type SuiteCase,
} from "./suite-case.ts";
import { upstreamCases } from "./upstream.ts";

/**
 * The cases that Cyclonus generates (kubernetes.md §11.2): one policy in which a part at a time is
 * replaced. Everything is probed at every port. What is expected Cyclonus computes itself; here
 * `naive-evaluator.ts` does, which is not what is tested.
 */
type Direction = "ingress" | "egress";
const directions: readonly Direction[] = ["ingress", "egress"];

type AddressOf = (pod: PodName) => string;
type Actions = (addressOf: AddressOf) => readonly (readonly Action[])[];

const all: SelectorJson = {};
const label = (key: string, value: string): SelectorJson => ({ matchLabels: { [key]: value } });
const oneOf = (key: string, ...values: string[]): SelectorJson => ({
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

function basePolicy(change: Partial<Parts> = {}): Action {
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

const withPeers = (direction: Direction, ...peers: PeerJson[]): Action =>
  basePolicy({ [direction]: { ...base[direction], peers } });

const withPorts = (direction: Direction, ...ports: PortJson[]): Action =>
  basePolicy({ [direction]: { ...base[direction], ports } });

const once =
  (action: Action): Actions =>
  () => [[action]];

const target: readonly [string, Actions][] = [
  ...["x", "y", "z"].map((namespace): [string, Actions] => [
    `is in namespace ${namespace}`,
    once(basePolicy({ namespace })),
  ]),
  ["selects all pods", once(basePolicy({ target: all }))],
  ["selects pods by a label", once(basePolicy({ target: label("pod", "a") }))],
  ["selects pods by an expression", once(basePolicy({ target: oneOf("pod", "a", "b") }))],
];

const rules = directions.flatMap((direction): [string, Actions][] => [
  [`denies all ${direction}`, once(basePolicy({ [direction]: "deny" }))],
  [`allows all ${direction}`, once(basePolicy({ [direction]: "allow" }))],
]);

const peerKinds: readonly [string, (addressOf: AddressOf) => PeerJson][] = [
  ...podPeers(),
  ["a block", (addressOf) => ({ ipBlock: { cidr: blockAround(addressOf("z/c"), 24) } })],
  [
    "a block with an exception",
    (addressOf) => {
      const address = addressOf("z/c");
      return { ipBlock: { cidr: blockAround(address, 24), except: [blockAround(address, 28)] } };
    },
  ],
];

/** All and some pods, of the own, all and some namespaces; neither selector is no peer. */
function podPeers(): [string, () => PeerJson][] {
  const pods: [string, SelectorJson | undefined][] = [
    ["pods", undefined],
    ["all pods", all],
    ["pods c", label("pod", "c")],
  ];
  const namespaces: [string, SelectorJson | undefined][] = [
    ["its namespace", undefined],
    ["all namespaces", all],
    ["namespace x", label("ns", "x")],
  ];
  return namespaces.flatMap(([ofNamespace, namespaceSelector]) =>
    pods
      .filter(([, podSelector]) => podSelector !== undefined || namespaceSelector !== undefined)
      .map(([which, podSelector]): [string, () => PeerJson] => {
        const peer = {
          ...(podSelector === undefined ? {} : { podSelector }),
          ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
        };
        return [`${which} of ${ofNamespace}`, () => peer];
      }),
  );
}

function blockAround(address: string, prefix: 24 | 28): string {
  const octets = address.split(".").map(Number);
  octets[3] = prefix === 24 ? 0 : octets[3]! & 0xf0;
  return `${octets.join(".")}/${prefix}`;
}

const peers = directions.flatMap((direction): [string, Actions][] => [
  [`allows ${direction} of an empty list of peers`, once(withPeers(direction))],
  ...peerKinds.map(([name, peer]): [string, Actions] => [
    `allows ${direction} of ${name}`,
    (addressOf) => [[withPeers(direction, peer(addressOf))]],
  ]),
  ...pairsOf(peerKinds).map(([[name, peer], [otherName, other]]): [string, Actions] => [
    `allows ${direction} of ${name} and of ${otherName}`,
    (addressOf) => [[withPeers(direction, peer(addressOf), other(addressOf))]],
  ]),
]);

function pairsOf<Item>(items: readonly Item[]): [Item, Item][] {
  return items.flatMap((item, at) =>
    items.slice(at + 1).map((other): [Item, Item] => [item, other]),
  );
}

function describePort({ protocol, port, endPort }: PortJson): string {
  const range = endPort === undefined ? `${port ?? "any"}` : `${port}–${endPort}`;
  return `${protocol ?? "no protocol"} ${range}`;
}

const singlePorts: readonly PortJson[] = [
  ...[undefined, ...protocols].flatMap((protocol) =>
    [undefined, ...servedPorts].map((port) => ({
      ...(protocol === undefined ? {} : { protocol }),
      ...(port === undefined ? {} : { port }),
    })),
  ),
  ...protocols.flatMap((protocol) =>
    servedPorts.map((port) => ({ protocol, port: portName(port, protocol) })),
  ),
  ...protocols.flatMap((protocol) => [80, 84].map((endPort) => ({ protocol, port: 53, endPort }))),
];

const pathologicalPorts: readonly PortJson[] = [
  { protocol: "TCP", port: "serve-81-udp" },
  { protocol: "TCP", port: "serve-7981-udp" },
  { protocol: "TCP", port: 7981 },
];

/** Pairs of ports that add up, overlap, or differ in what they have in common. */
const portPairs: readonly (readonly [PortJson, PortJson])[] = [
  [
    { protocol: "TCP", port: 80 },
    { protocol: "TCP", port: 81 },
  ],
  [
    { protocol: "TCP", port: 80 },
    { protocol: "UDP", port: 80 },
  ],
  [
    { protocol: "UDP", port: 80 },
    { protocol: "SCTP", port: 81 },
  ],
  [{ protocol: "TCP" }, { protocol: "TCP", port: 80 }],
  [
    { protocol: "TCP", port: "serve-80-tcp" },
    { protocol: "TCP", port: 81 },
  ],
  [
    { protocol: "UDP", port: "serve-81-udp" },
    { protocol: "SCTP", port: "serve-80-sctp" },
  ],
  [
    { protocol: "TCP", port: 53, endPort: 80 },
    { protocol: "TCP", port: 80, endPort: 81 },
  ],
];

const portProtocol = directions.flatMap((direction): [string, Actions][] => [
  [`allows ${direction} at an empty list of ports`, once(withPorts(direction))],
  ...[...singlePorts, ...pathologicalPorts].map((port): [string, Actions] => [
    `allows ${direction} at ${describePort(port)}`,
    once(withPorts(direction, port)),
  ]),
  ...portPairs.map(([port, other]): [string, Actions] => [
    `allows ${direction} at ${describePort(port)} and ${describePort(other)}`,
    once(withPorts(direction, port, other)),
  ]),
]);

const action: readonly [string, Actions][] = [
  [
    "creates and deletes a policy",
    () => [[basePolicy()], [{ do: "delete-policy", namespace: "x", name: "base" }]],
  ],
  [
    "creates and updates a policy",
    () => [[basePolicy()], [withPorts("ingress", { protocol: "UDP", port: "serve-81-udp" })]],
  ],
  [
    "creates and deletes a namespace with pods",
    () => [
      [basePolicy()],
      [
        { do: "put-namespace", namespace: "y-2", labels: { ns: "y" } },
        { do: "create-pod", pod: "y-2/a", labels: { pod: "a" } },
        { do: "create-pod", pod: "y-2/b", labels: { pod: "b" } },
      ],
      [{ do: "delete-namespace", namespace: "y-2" }],
    ],
  ],
  [
    "sets a label of a namespace and takes it back",
    () => [
      [withPeers("ingress", { namespaceSelector: label("new-ns", "qrs") })],
      [{ do: "put-namespace", namespace: "y", labels: { ns: "y", "new-ns": "qrs" } }],
      [{ do: "put-namespace", namespace: "y", labels: { ns: "y" } }],
    ],
  ],
  [
    "creates and deletes a pod",
    () => [
      [basePolicy()],
      [{ do: "create-pod", pod: "x/d", labels: { pod: "d" } }],
      [{ do: "delete-pod", pod: "x/d" }],
    ],
  ],
  [
    "sets a label of a pod and takes it back",
    () => [
      [
        withPeers("ingress", {
          podSelector: label("new-label", "abc"),
          namespaceSelector: oneOf("ns", "y", "z"),
        }),
      ],
      [{ do: "label-pod", pod: "y/b", labels: { pod: "b", "new-label": "abc" } }],
      [{ do: "label-pod", pod: "y/b", labels: { pod: "b" } }],
    ],
  ],
];

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

const conflict: readonly [string, Actions][] = [
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

const namespace = directions.map((direction): [string, Actions] => [
  `allows ${direction} of a namespace by the label that all have`,
  once(withPeers(direction, { namespaceSelector: label("kubernetes.io/metadata.name", "z") })),
]);

const example: readonly [string, Actions][] = [
  [
    "allows ingress at a port by its name while pods and namespaces come and go",
    () => {
      const spec: PolicySpecJson = {
        ...{ podSelector: all, policyTypes: ["Ingress"] },
        ingress: [{ ports: [{ port: "serve-81-tcp" }] }],
      };
      return [
        [{ do: "put-policy", policy: policyJson("x", "named", spec) }],
        [
          { do: "put-namespace", namespace: "w", labels: { ns: "w" } },
          { do: "create-pod", pod: "w/a", labels: { pod: "a" } },
        ],
        [{ do: "delete-pod", pod: "w/a" }],
        [{ do: "delete-namespace", namespace: "w" }],
      ];
    },
  ],
];

/** Those of the other suite that Cyclonus has as well. */
const sharedWithUpstream: readonly number[] = [1, 2, 11, 15, 16, 17, 20, 21, 22, 23, 27, 28, 33];

const upstream = sharedWithUpstream.map((number): [string, Actions] => {
  const { title, steps } = upstreamCases[number - 1]!;
  return [title, (addressOf) => steps(addressOf).map(({ actions }) => actions)];
});

const groups: Readonly<Record<string, readonly [string, Actions][]>> = {
  ...{ target, rules, peers, "port-protocol": portProtocol, action, conflict, namespace },
  ...{ example, upstream },
};

export const cyclonusCases: readonly SuiteCase[] = Object.entries(groups).flatMap(
  ([group, cases]) =>
    cases.map(([title, actions], at): SuiteCase => {
      const id = `cyclonus-${group}-${String(at + 1).padStart(3, "0")}`;
      const steps = (addressOf: AddressOf): Step[] => stepsOf(actions(addressOf), addressOf);
      return { suite: "cyclonus", id, title, steps };
    }),
);

function stepsOf(actions: readonly (readonly Action[])[], addressOf: AddressOf): Step[] {
  let cluster = startingCluster(addressOf);
  let made = 0;
  // No block of a case has these: what they are where the case runs does not matter.
  const newAddress = (): string => `192.0.2.${++made}`;
  return actions.map((ofStep) => {
    for (const each of ofStep) cluster = applied(cluster, each, newAddress);
    return { actions: ofStep, probes: probesOf(cluster) };
  });
}

function probesOf(cluster: ClusterJson): Probe[] {
  const addresses = cluster.pods.map((pod) => [nameOf(pod), pod.status.podIP] as const);
  return addresses.flatMap(([from, source]) =>
    addresses
      .filter(([to]) => to !== from)
      .flatMap(([to, destination]) =>
        protocols.flatMap((protocol) =>
          servedPorts.map((port): Probe => {
            const connection = { from: source, to: destination, protocol, port };
            return { from, to, protocol, port, allowed: naivelyAllowed(cluster, connection) };
          }),
        ),
      ),
  );
}
