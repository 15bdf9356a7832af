import * as fc from "fast-check";
import type { RawCluster, RawConnection, RawPod, RawPolicy } from "./naive-evaluator.ts";

/**
 * Small clusters in which everything meets: few namespaces, labels, addresses and ports, so that
 * selectors select, blocks contain and pods come to each other's addresses.
 */
const namespaceName = fc.constantFrom("x", "y", "z");
const labels = fc.dictionary(fc.constantFrom("app", "tier"), fc.constantFrom("a", "b"), {
  maxKeys: 2,
});
const protocol = fc.constantFrom("TCP", "UDP", "SCTP");
const portNumber = fc.constantFrom(80, 81, 90);
const portName = fc.constantFrom("web", "dns");

export const addresses4 = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.1.1", "10.0.1.2"] as const;
export const addresses6 = ["fd00::1", "fd00::2", "fd00:1::1"] as const;
const nodeAddresses = ["192.168.0.1", "192.168.0.2"] as const;
const outside = ["8.8.8.8", "2001:db8::1"] as const;

const cidr = fc.constantFrom(
  ...["0.0.0.0/0", "10.0.0.0/16", "10.0.0.0/24", "10.0.0.2/32", "10.0.0.2/31", "192.168.0.0/24"],
  ...["::/0", "fd00::/16", "fd00::/32", "fd00::2/128"],
);

const ipBlock = fc.constantFrom<{ cidr: string; except?: string[] }>(
  { cidr: "10.0.0.0/8", except: ["10.0.0.0/24"] },
  { cidr: "10.0.0.0/16", except: ["10.0.0.2/32", "10.0.1.0/24"] },
  { cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "10.0.0.0/24"] },
  { cidr: "fd00::/8", except: ["fd00::/32", "fd00::2/128"] },
  { cidr: "10.0.0.3/24" },
  { cidr: "::/0" },
);

const requirement = fc.oneof(
  fc.record({
    key: fc.constantFrom("app", "tier"),
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.subarray(["a", "b", "c"], { minLength: 1 }),
  }),
  fc.record({
    key: fc.constantFrom("app", "tier"),
    operator: fc.constantFrom("Exists", "DoesNotExist"),
  }),
);

const selector = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 3, arbitrary: fc.record({ matchLabels: labels }) },
  {
    weight: 2,
    arbitrary: fc.record({ matchExpressions: fc.array(requirement, { maxLength: 2 }) }),
  },
);

const namespaceSelector = fc.oneof(
  { weight: 3, arbitrary: selector },
  {
    weight: 1,
    arbitrary: namespaceName.map((name) => ({
      matchLabels: { "kubernetes.io/metadata.name": name },
    })),
  },
);

const peer = fc.oneof(
  { weight: 6, arbitrary: fc.record({ podSelector: selector }) },
  { weight: 4, arbitrary: fc.record({ namespaceSelector }) },
  { weight: 4, arbitrary: fc.record({ podSelector: selector, namespaceSelector }) },
  { weight: 4, arbitrary: fc.record({ ipBlock }) },
  { weight: 2, arbitrary: cidr.map((text) => ({ ipBlock: { cidr: text } })) },
  { weight: 1, arbitrary: fc.constantFrom({}, { podSelector: {}, fqdn: "example.org" }) },
);

const port = fc.oneof(
  { weight: 4, arbitrary: fc.record({ protocol, port: portNumber }) },
  { weight: 2, arbitrary: fc.record({ protocol }) },
  { weight: 2, arbitrary: fc.record({ port: fc.oneof(portNumber, portName) }) },
  { weight: 3, arbitrary: fc.record({ protocol, port: portName }) },
  { weight: 2, arbitrary: fc.record({ protocol, port: portNumber, endPort: portNumber }) },
  { weight: 1, arbitrary: fc.constant({ port: "web", endPort: 90 }) },
);

const few = { maxLength: 2 };

function rule(field: "from" | "to") {
  return fc.record(
    { [field]: fc.array(peer, few), ports: fc.array(port, few) },
    { requiredKeys: [] },
  );
}

const networkPolicy: fc.Arbitrary<RawPolicy> = fc.record({
  apiVersion: fc.constant("networking.k8s.io/v1"),
  kind: fc.constant("NetworkPolicy"),
  metadata: fc.record({ namespace: namespaceName, name: fc.constantFrom("p", "q", "r", "s") }),
  spec: fc.record(
    {
      podSelector: selector,
      policyTypes: fc.subarray(["Ingress", "Egress"]),
      ingress: fc.array(rule("from"), few),
      egress: fc.array(rule("to"), few),
    },
    { requiredKeys: ["podSelector"] },
  ),
});

const twoSelectors = fc.record({ namespaceSelector, podSelector: selector });

const insidePeers = [
  namespaceSelector.map((namespaces) => ({ namespaces })),
  twoSelectors.map((pods) => ({ pods })),
];

const outsidePeers = [
  selector.map((nodes) => ({ nodes })),
  fc.array(cidr, { minLength: 1, maxLength: 2 }).map((networks) => ({ networks })),
];

const clusterPort = fc.oneof(
  fc.record({ portNumber: fc.record({ protocol, port: portNumber }) }),
  portName.map((namedPort) => ({ namedPort })),
  fc.record({
    portRange: fc.record({
      protocol,
      start: fc.constantFrom(80, 81),
      end: fc.constantFrom(81, 90),
    }),
  }),
);

function clusterRule(field: "from" | "to", actions: readonly string[]) {
  const peers = fc.oneof(...(field === "from" ? insidePeers : [...insidePeers, ...outsidePeers]));
  return fc.record(
    {
      name: fc.constant("rule"),
      action: fc.constantFrom(...actions),
      [field]: fc.array(peers, { minLength: 1, maxLength: 2 }),
      ports: fc.array(clusterPort, few),
    },
    { requiredKeys: ["action", field] },
  );
}

function clusterPolicy(kind: string, actions: readonly string[]): fc.Arbitrary<RawPolicy> {
  const isAdmin = kind === "AdminNetworkPolicy";
  const spec = {
    subject: fc.oneof(...insidePeers),
    ingress: fc.array(clusterRule("from", actions), few),
    egress: fc.array(clusterRule("to", actions), few),
  };
  return fc.record({
    apiVersion: fc.constant("policy.networking.k8s.io/v1alpha1"),
    kind: fc.constant(kind),
    metadata: fc.record({
      name: isAdmin ? fc.constantFrom("p", "q", "r") : fc.constant("default"),
    }),
    spec: isAdmin ? fc.record({ priority: fc.nat({ max: 2 }), ...spec }) : fc.record(spec),
  });
}

/** Mostly network policies. */
export const policy: fc.Arbitrary<RawPolicy> = fc.oneof(
  { weight: 6, arbitrary: networkPolicy },
  { weight: 3, arbitrary: clusterPolicy("AdminNetworkPolicy", ["Allow", "Deny", "Pass"]) },
  { weight: 1, arbitrary: clusterPolicy("BaselineAdminNetworkPolicy", ["Allow", "Deny"]) },
);

export const namespace = fc.record({ metadata: fc.record({ name: namespaceName, labels }) });

export const pod: fc.Arbitrary<RawPod> = fc
  .record({
    namespace: namespaceName,
    uid: fc.constantFrom("1", "2", "3", "4", "5", "6"),
    labels,
    creationSeconds: fc.nat({ max: 2 }),
    nodeName: fc.constantFrom("m", "n"),
    ports: fc.uniqueArray(fc.record({ name: portName, containerPort: portNumber, protocol }), {
      maxLength: 3,
      selector: ({ name, protocol: of }) => `${name}/${of}`,
    }),
    ip4: fc.option(fc.constantFrom(...addresses4), { freq: 9 }),
    ip6: fc.option(fc.constantFrom(...addresses6)),
  })
  .map(({ nodeName, ports, ip4, ip6, ...metadata }) => ({
    metadata: { ...metadata, name: `pod-${metadata.uid}` },
    spec: { nodeName, containers: [{ ports }] },
    status: { podIPs: [ip4, ip6].filter((ip) => ip !== null).map((ip) => ({ ip })) },
  }));

export const node = fc.record({ at: fc.nat({ max: 1 }), labels }).map(({ at, labels: ofNode }) => ({
  metadata: { name: ["m", "n"][at]!, labels: ofNode },
  status: { addresses: [{ address: nodeAddresses[at]! }] },
}));

const end4 = fc.oneof(
  { weight: 7, arbitrary: fc.constantFrom(...addresses4) },
  { weight: 1, arbitrary: fc.constantFrom(...nodeAddresses, outside[0]) },
);
const end6 = fc.oneof(
  { weight: 7, arbitrary: fc.constantFrom(...addresses6) },
  { weight: 1, arbitrary: fc.constant(outside[1]) },
);

export const connection: fc.Arbitrary<RawConnection> = fc
  .record({
    ends: fc.oneof(
      { weight: 3, arbitrary: fc.tuple(end4, end4) },
      { weight: 1, arbitrary: fc.tuple(end6, end6) },
    ),
    port: fc.oneof(
      { weight: 9, arbitrary: fc.record({ protocol, port: fc.constantFrom(80, 81, 85, 90) }) },
      { weight: 1, arbitrary: fc.constant({ protocol: "ICMP" }) },
    ),
  })
  .map(({ ends: [from, to], port: at }) => ({ from, to, ...at }));

/** Objects of a kind are told apart by their names, as an API server does. */
function unique<Item>(
  item: fc.Arbitrary<Item>,
  key: (item: Item) => string,
  [minLength, maxLength]: readonly [number, number],
) {
  // Not biased towards few: where nobody is, nothing can be wrong.
  return fc.noBias(fc.uniqueArray(item, { selector: key, minLength, maxLength, size: "max" }));
}

export function policyKey({ kind, metadata }: RawPolicy): string {
  return `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
}

export const cluster: fc.Arbitrary<RawCluster> = fc.record({
  namespaces: unique(namespace, ({ metadata }) => metadata.name, [2, 3]),
  pods: unique(pod, ({ metadata }) => metadata.uid, [4, 6]),
  nodes: unique(node, ({ metadata }) => metadata.name, [0, 2]),
  policies: unique(policy, policyKey, [2, 8]),
});
