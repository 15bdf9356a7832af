import { protocols as allProtocols } from "./cluster-json.ts";
import { Reachability } from "./reachability.ts";
import {
  type Action,
  type PeerJson,
  type PodName,
  type PolicySpecJson,
  type PortJson,
  type Protocol,
  policyJson,
  type SelectorJson,
  type Step,
  type SuiteCase,
} from "./suite-case.ts";

/**
 * The cases of the end-to-end suite of Kubernetes for network policies (kubernetes.md §11.1), in its
 * order. What is expected is what the definition of each case states; where it runs with fewer pods,
 * it is stated for all nine here.
 */
const nameLabel = "kubernetes.io/metadata.name";
const all: SelectorJson = {};
const podA: SelectorJson = { matchLabels: { pod: "a" } };
const podB: SelectorJson = { matchLabels: { pod: "b" } };
const inY: SelectorJson = { matchLabels: { [nameLabel]: "y" } };
const notInX: SelectorJson = expression(nameLabel, "NotIn", "x");
const tcp80: PortJson = { protocol: "TCP", port: 80 };
const tcp81: PortJson = { protocol: "TCP", port: 81 };

function expression(key: string, operator: "In" | "NotIn", ...values: string[]): SelectorJson {
  return { matchExpressions: [{ key, operator, values }] };
}

type IngressRules = NonNullable<PolicySpecJson["ingress"]>;
type EgressRules = NonNullable<PolicySpecJson["egress"]>;

function ingress(podSelector: SelectorJson, ...rules: IngressRules): PolicySpecJson {
  return { podSelector, policyTypes: ["Ingress"], ingress: rules };
}

function egress(podSelector: SelectorJson, ...rules: EgressRules): PolicySpecJson {
  return { podSelector, policyTypes: ["Egress"], egress: rules };
}

function from(...peers: PeerJson[]): PolicySpecJson {
  return ingress(podA, { from: peers });
}

function denyBoth(podSelector: SelectorJson): PolicySpecJson {
  return { podSelector, policyTypes: ["Ingress", "Egress"], ingress: [], egress: [] };
}

function put(name: string, spec: PolicySpecJson, namespace = "x"): Action {
  return { do: "put-policy", policy: policyJson(namespace, name, spec) };
}

function step(actions: readonly Action[], ...tables: Reachability[]): Step {
  return { actions, probes: tables.flatMap((table) => table.probes()) };
}

/** One policy `policy` in x, and what holds with it. */
function single(spec: PolicySpecJson, ...tables: Reachability[]): Step[] {
  return [step([put("policy", spec)], ...tables)];
}

const open = (port = 80, protocol: Protocol = "TCP"): Reachability =>
  Reachability.open(protocol, port);

/** Nobody reaches x/a but those who are named. */
function onlyToA(...sources: (PodName | "*")[]): Reachability {
  return open().deny("*", "x/a").allowEach(sources, "x/a");
}

/** A case, or one for each protocol. */
type Steps = (addressOf: (pod: PodName) => string) => readonly Step[];

const denyIngress: (protocol: Protocol) => Steps = (protocol) => () =>
  single(ingress(all), open(80, protocol).deny("*", "x/*"));

const portOfY: (protocol: Protocol) => Steps = (protocol) => () =>
  single(
    ingress(podA, { from: [{ namespaceSelector: inY }], ports: [{ protocol, port: 81 }] }),
    open(81, protocol).deny("x/*", "x/a").deny("z/*", "x/a"),
  );

const podOfY: (protocol: Protocol) => Steps = (protocol) => () =>
  single(
    from({ namespaceSelector: inY, podSelector: podA }),
    open(80, protocol).deny("*", "x/a").allow("y/a", "x/a"),
  );

/** Everything around an address but itself. */
function aroundButNot(address: string): PeerJson {
  const first = Number(address.split(".")[0]);
  return { ipBlock: { cidr: `${first & 0xf0}.0.0.0/4`, except: [`${address}/32`] } };
}

const toAddress = (peer: PeerJson): PolicySpecJson => egress(podA, { to: [peer] });

const selecting: readonly [string, Steps][] = [
  ["denies all ingress of a namespace", denyIngress("TCP")],
  [
    "denies both directions of a namespace",
    () => single(denyBoth(all), open().deny("*", "x/*").deny("x/*", "*")),
  ],
  [
    "allows a pod of the server's namespace by podSelector",
    () => single(from({ podSelector: podB }), onlyToA("x/b")),
  ],
  [
    "allows ingress for one target where all is denied",
    () => [
      step(
        [
          put("deny", ingress(all)),
          put("allow", from({ podSelector: all, namespaceSelector: all })),
        ],
        open().deny("*", "x/b").deny("*", "x/c"),
      ),
    ],
  ],
  ["allows pods of all namespaces", () => single(from({ namespaceSelector: all }), open())],
  [
    "allows another namespace alone, by namespaceSelector",
    () => single(from({ namespaceSelector: inY }), onlyToA("y/*")),
  ],
  [
    "has expressions in podSelector",
    () => single(from({ podSelector: expression("pod", "In", "b") }), onlyToA("x/b")),
  ],
  [
    "has expressions in namespaceSelector",
    () => single(from({ namespaceSelector: expression(nameLabel, "In", "y") }), onlyToA("y/*")),
  ],
  [
    "allows by podSelector or by namespaceSelector",
    () =>
      single(
        from({ namespaceSelector: notInX }, { podSelector: podB }),
        onlyToA("x/b", "y/*", "z/*"),
      ),
  ],
  [
    "allows by podSelector and namespaceSelector together",
    () => single(from({ namespaceSelector: notInX, podSelector: podB }), onlyToA("y/b", "z/b")),
  ],
  [
    "allows several pods of several namespaces",
    () =>
      single(
        from({ namespaceSelector: notInX, podSelector: expression("pod", "In", "b", "c") }),
        onlyToA("y/b", "y/c", "z/b", "z/c"),
      ),
  ],
  [
    "allows by any of several podSelectors",
    () =>
      single(
        from({ podSelector: podB }, { podSelector: { matchLabels: { pod: "c" } } }),
        onlyToA("x/b", "x/c"),
      ),
  ],
  ["allows one pod of another namespace alone", podOfY("TCP")],
];

const porting: readonly [string, Steps][] = [
  ["allows one port alone", portOfY("TCP")],
  [
    "adds up policies whose selectors overlap",
    () => [
      step(
        [put("port-81", ingress(podA, { from: [{ namespaceSelector: inY }], ports: [tcp81] }))],
        ...[open(81).deny("x/*", "x/a").deny("z/*", "x/a"), open().deny("*", "x/a")],
      ),
      step(
        [put("port-80", ingress(podA, { from: [{ namespaceSelector: inY }], ports: [tcp80] }))],
        open().deny("x/*", "x/a").deny("z/*", "x/a"),
      ),
    ],
  ],
  ["allows all by one empty rule", () => single(ingress(all, {}), open(), open(81))],
  [
    "allows ingress at a port by its name",
    () =>
      single(
        ...([ingress(all, { ports: [{ port: "serve-81-tcp" }] }), open(81)] as const),
        open().deny("*", "x/*"),
      ),
  ],
  [
    "allows ingress from a namespace at a port by its name",
    () =>
      single(
        ingress(podA, {
          from: [{ namespaceSelector: inY }],
          ports: [{ protocol: "TCP", port: "serve-80-tcp" }],
        }),
        ...[onlyToA("y/*"), open(81).deny("*", "x/a")],
      ),
  ],
  [
    "allows egress to a port by its name",
    () =>
      single(
        ...([egress(all, { ports: [{ port: "serve-80-tcp" }] }), open()] as const),
        open(81).deny("x/*", "*"),
      ),
  ],
];

const changing: readonly [string, Steps][] = [
  [
    "follows a policy that changes",
    () => [
      step([put("policy", ingress(all, {}))], open(81)),
      step([put("policy", ingress(all))], open(81).deny("*", "x/*")),
    ],
  ],
  [
    "follows labels of a namespace",
    () => [
      step(
        [put("policy", from({ namespaceSelector: { matchLabels: { ns2: "updated" } } }))],
        onlyToA(),
      ),
      step(
        [{ do: "put-namespace", namespace: "y", labels: { ns: "y", ns2: "updated" } }],
        onlyToA("y/*"),
      ),
    ],
  ],
  [
    "follows labels of a pod that is allowed",
    () => {
      const labels = { pod: "b", pod2: "updated" };
      return [
        step([put("policy", from({ podSelector: { matchLabels: labels } }))], onlyToA()),
        step([{ do: "label-pod", pod: "x/b", labels }], onlyToA("x/b")),
      ];
    },
  ],
  [
    "follows labels of a pod that is isolated",
    () => [
      step([put("policy", ingress({ matchLabels: { target: "isolated" } }))], open()),
      step([{ do: "label-pod", pod: "x/a", labels: { pod: "a", target: "isolated" } }], onlyToA()),
    ],
  ],
  [
    "denies ingress from other namespaces",
    () =>
      single(
        ingress(all, { from: [{ podSelector: all }] }),
        open().deny("y/*", "x/*").deny("z/*", "x/*"),
      ),
  ],
];

const sending: readonly [string, Steps][] = [
  ["denies egress of a pod", () => single(egress(podA), open().deny("x/a", "*"))],
  ["denies egress of a namespace", () => single(egress(all), open().deny("x/*", "*"))],
  [
    "has ingress and egress in one policy",
    () =>
      single(
        {
          ...{ podSelector: podA, policyTypes: ["Ingress", "Egress"] },
          ...{ ingress: [{ from: [{ podSelector: podB }] }], egress: [{ ports: [{ port: 80 }] }] },
        },
        ...[onlyToA("x/b"), open(81).deny("*", "x/a").deny("x/a", "*").allow("x/b", "x/a")],
      ),
  ],
  [
    "denies egress that the server would allow",
    () => {
      const inX = { namespaceSelector: { matchLabels: { [nameLabel]: "x" } }, podSelector: podA };
      return [
        step(
          [
            put("to-y-a", toAddress({ namespaceSelector: inY, podSelector: podA })),
            put("from-x-a-to-a", ingress(podA, { from: [inX] }), "y"),
            put("from-x-a-to-b", ingress(podB, { from: [inX] }), "y"),
          ],
          open().deny("x/a", "*").deny("*", "y/a").deny("*", "y/b").allow("x/a", "y/a"),
        ),
      ];
    },
  ],
  [
    "allows egress to one pod of another namespace",
    () =>
      single(
        toAddress({ namespaceSelector: inY, podSelector: podA }),
        open().deny("x/a", "*").allow("x/a", "y/a"),
      ),
  ],
  [
    "allows all ports of one protocol",
    () =>
      single(
        ingress(podA, { ports: [{ protocol: "TCP" }] }),
        ...[open(), open(80, "UDP").deny("*", "x/a")],
      ),
  ],
  [
    "allows all ingress where another policy allows less",
    () => [
      step([put("port-80", ingress(all, { ports: [{ port: 80 }] }))], open(81).deny("*", "x/*")),
      step([put("all", ingress(all, {}))], open(81)),
    ],
  ],
  [
    "allows all egress where another policy allows less",
    () => [
      step([put("port-80", egress(all, { ports: [{ port: 80 }] }))], open(81).deny("x/*", "*")),
      step([put("all", egress(all, {}))], open(81)),
    ],
  ],
  [
    "enforces nothing of a policy that is gone",
    () => [
      step([put("policy", denyBoth(all))], open().deny("*", "x/*").deny("x/*", "*")),
      step([{ do: "delete-policy", namespace: "x", name: "policy" }], open()),
    ],
  ],
];

const blocks: readonly [string, Steps][] = [
  [
    "allows egress to a block of one address",
    (addressOf) =>
      single(
        toAddress({ ipBlock: { cidr: `${addressOf("y/b")}/32` } }),
        open().deny("x/a", "*").allow("x/a", "y/b"),
      ),
  ],
  [
    "allows egress to a block with an exception",
    (addressOf) => single(toAddress(aroundButNot(addressOf("x/b"))), open().deny("x/a", "x/b")),
  ],
  [
    "follows a block whose exception becomes what is allowed",
    (addressOf) => [
      step([put("policy", toAddress(aroundButNot(addressOf("x/b"))))], open().deny("x/a", "x/b")),
      step(
        [put("policy", toAddress({ ipBlock: { cidr: `${addressOf("x/b")}/32` } }))],
        open().deny("x/a", "*").allow("x/a", "x/b"),
      ),
    ],
  ],
  [
    "judges ingress and egress of a pod apart",
    () => [
      step([put("allow-egress", egress(podA, {}))], open()),
      step([put("deny-ingress", ingress(podA))], onlyToA()),
    ],
  ],
];

const protocolCases: readonly [string, Steps][] = [
  [
    "does not take SCTP for TCP",
    () => [
      step(
        [
          put("deny", ingress(all)),
          put("sctp", ingress(podA, { ports: [{ protocol: "SCTP", port: 81 }] })),
        ],
        open(81).deny("*", "x/*"),
      ),
    ],
  ],
  [
    "isolates a pod for which SCTP alone is allowed",
    () =>
      single(ingress(podA, { ports: [{ protocol: "SCTP", port: 80 }] }), open(81).deny("*", "x/a")),
  ],
  [
    "does not take UDP for TCP",
    () =>
      single(ingress(podA, { ports: [{ protocol: "UDP", port: 81 }] }), open(81).deny("*", "x/a")),
  ],
  [
    "selects namespaces by the label that all have",
    () => single(from({ namespaceSelector: inY }), onlyToA("y/*")),
  ],
  [
    "selects namespaces by an expression on the label that all have",
    () =>
      single(
        toAddress({ namespaceSelector: expression(nameLabel, "NotIn", "y") }),
        open().deny("x/a", "y/*"),
      ),
  ],
];

const [, ...otherProtocols] = allProtocols;

const variants: readonly [string, Steps][] = otherProtocols.flatMap((protocol) => [
  [`denies all ingress of a namespace, by ${protocol}`, denyIngress(protocol)],
  [`allows one port alone, of ${protocol}`, portOfY(protocol)],
  [`allows one pod of another namespace alone, by ${protocol}`, podOfY(protocol)],
]);

export const upstreamCases: readonly SuiteCase[] = [
  ...[selecting, porting, changing, sending, blocks, protocolCases, variants].flat(),
].map(([title, steps], at) => ({
  suite: "upstream",
  id: `upstream-${String(at + 1).padStart(2, "0")}`,
  title,
  steps,
}));
