/**
 * What network policies mean, told a second time: straight from kubernetes.md §9 over objects as the
 * API has them, slowly, without an object or a function of the product. Tests hold the two against
 * each other.
 */
export interface RawCluster {
  readonly namespaces: readonly {
    readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  }[];
  readonly pods: readonly RawPod[];
  readonly nodes?: readonly {
    readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
    readonly status: { readonly addresses: readonly { readonly address: string }[] };
  }[];
  readonly policies: readonly RawPolicy[];
}

export interface RawPod {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly labels?: Record<string, string>;
    /** Seconds; of two with one address the later one has it. */
    readonly creationSeconds?: number;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly ports: readonly {
        readonly name?: string;
        readonly containerPort: number;
        readonly protocol?: string;
      }[];
    }[];
  };
  readonly status: { readonly podIPs: readonly { readonly ip: string }[] };
}

export interface RawPolicy {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: object;
}

export interface RawConnection {
  readonly from: string;
  readonly to: string;
  /** `ICMP` has no port. */
  readonly protocol: string;
  readonly port?: number;
}

type Json = Record<string, unknown>;

export function naivelyAllowed(cluster: RawCluster, connection: RawConnection): boolean {
  if (isNotJudged(cluster, connection)) return true;
  const sender = ownerOf(cluster, connection.from);
  const receiver = ownerOf(cluster, connection.to);
  if (sender !== undefined && !oneEndAllows(cluster, connection, sender, "egress")) return false;
  if (receiver !== undefined && !oneEndAllows(cluster, connection, receiver, "ingress"))
    return false;
  return true;
}

/** A pod and itself, and a pod and the machine that it runs on. */
export function isNotJudged(cluster: RawCluster, { from, to }: RawConnection): boolean {
  const sender = ownerOf(cluster, from);
  const receiver = ownerOf(cluster, to);
  if (sender !== undefined && sender === receiver) return true;
  for (const [pod, address] of [[sender, to] as const, [receiver, from] as const]) {
    const node = nodeOf(cluster, address);
    if (pod !== undefined && node !== undefined && pod.spec.nodeName === node.metadata.name)
      return true;
  }
  return false;
}

function oneEndAllows(
  cluster: RawCluster,
  connection: RawConnection,
  pod: RawPod,
  direction: "ingress" | "egress",
): boolean {
  const first = clusterTierSays(cluster, connection, pod, direction, "AdminNetworkPolicy");
  if (first === "Allow") return true;
  if (first === "Deny") return false;
  let isolated = false;
  let allowed = false;
  for (const policy of cluster.policies) {
    if (policy.kind !== "NetworkPolicy") continue;
    if (policy.metadata.namespace !== pod.metadata.namespace) continue;
    const spec = policy.spec as Json;
    if (!labelsFit(spec.podSelector as Json, pod.metadata.labels ?? {})) continue;
    const rules = (spec[direction] ?? []) as Json[];
    const types = (spec.policyTypes ?? []) as string[];
    const word = direction === "ingress" ? "Ingress" : "Egress";
    const applies =
      types.length > 0 ? types.includes(word) : direction === "ingress" || rules.length > 0;
    if (!applies) continue;
    isolated = true;
    for (const rule of rules) {
      if (hasOtherKeys(rule, [direction === "ingress" ? "from" : "to", "ports"])) continue;
      const peers = (rule[direction === "ingress" ? "from" : "to"] ?? []) as Json[];
      const ports = (rule.ports ?? []) as Json[];
      if (peers.some((peer) => !isKnownPeer(peer)) || ports.some((port) => !isKnownPort(port))) {
        continue;
      }
      const other = direction === "ingress" ? connection.from : connection.to;
      const peerFits =
        peers.length === 0 ||
        peers.some((peer) => peerIs(cluster, peer, other, policy.metadata.namespace!));
      const portFits =
        ports.length === 0 || ports.some((port) => portIs(cluster, port, connection));
      if (peerFits && portFits) allowed = true;
    }
  }
  if (isolated) return allowed;
  return (
    clusterTierSays(cluster, connection, pod, direction, "BaselineAdminNetworkPolicy") !== "Deny"
  );
}

/** The action of the first rule that fits, of all policies of a kind by their priority. */
function clusterTierSays(
  cluster: RawCluster,
  connection: RawConnection,
  pod: RawPod,
  direction: "ingress" | "egress",
  kind: string,
): string | undefined {
  const namespace = cluster.namespaces.find(
    (each) => each.metadata.name === pod.metadata.namespace,
  );
  if (namespace === undefined) return undefined;
  const policies = cluster.policies
    .filter((policy) => policy.kind === kind)
    .map(({ metadata, spec }) => ({ name: metadata.name, spec: spec as Json }))
    .sort((a, b) => {
      const difference = Number(a.spec.priority ?? 0) - Number(b.spec.priority ?? 0);
      return difference !== 0 ? difference : a.name > b.name ? 1 : -1;
    });
  for (const { spec } of policies) {
    const subject = spec.subject as Json;
    const pods = subject.pods as Json | undefined;
    const ofNamespaces = (pods?.namespaceSelector ?? subject.namespaces) as Json;
    if (!labelsFit(ofNamespaces, namespaceLabels(namespace))) continue;
    if (!labelsFit((pods?.podSelector ?? {}) as Json, pod.metadata.labels ?? {})) continue;
    for (const rule of (spec[direction] ?? []) as Json[]) {
      const peers = rule[direction === "ingress" ? "from" : "to"] as Json[];
      const ports = (rule.ports ?? []) as Json[];
      const other = direction === "ingress" ? connection.from : connection.to;
      if (!peers.some((peer) => clusterPeerIs(cluster, peer, other))) continue;
      if (ports.length > 0 && !ports.some((port) => clusterPortIs(cluster, port, connection))) {
        continue;
      }
      return rule.action as string;
    }
  }
  return undefined;
}

function ownerOf(cluster: RawCluster, address: string): RawPod | undefined {
  let owner: RawPod | undefined;
  for (const pod of cluster.pods) {
    if (!pod.status.podIPs.some(({ ip }) => ip === address)) continue;
    const [since, best] = [pod, owner].map((each) => each?.metadata.creationSeconds ?? 0);
    if (owner === undefined || since! > best!) owner = pod;
    else if (since === best && pod.metadata.uid > owner.metadata.uid) owner = pod;
  }
  return owner;
}

function nodeOf(cluster: RawCluster, address: string) {
  return (cluster.nodes ?? []).find(({ status }) =>
    status.addresses.some((each) => each.address === address),
  );
}

function hasOtherKeys(json: Json, keys: readonly string[]): boolean {
  return Object.keys(json).some((key) => !keys.includes(key));
}

function isKnownPeer(peer: Json): boolean {
  if ("ipBlock" in peer) return !hasOtherKeys(peer, ["ipBlock"]);
  return !hasOtherKeys(peer, ["podSelector", "namespaceSelector"]) && Object.keys(peer).length > 0;
}

function isKnownPort(port: Json): boolean {
  if (hasOtherKeys(port, ["protocol", "port", "endPort"])) return false;
  if (port.endPort === undefined) return true;
  return typeof port.port === "number" && (port.endPort as number) >= port.port;
}

function namespaceLabels(namespace: RawCluster["namespaces"][number]): Record<string, string> {
  const { name, labels } = namespace.metadata;
  return { ...labels, "kubernetes.io/metadata.name": name };
}

function peerIs(cluster: RawCluster, peer: Json, address: string, own: string): boolean {
  if (peer.ipBlock !== undefined) {
    const { cidr, except } = peer.ipBlock as { cidr: string; except?: string[] };
    if (!isIn(address, cidr)) return false;
    for (const hole of except ?? []) if (isIn(address, hole)) return false;
    return true;
  }
  const pod = ownerOf(cluster, address);
  if (pod === undefined) return false;
  if (peer.namespaceSelector === undefined) {
    if (pod.metadata.namespace !== own) return false;
  } else if (!isInNamespaces(cluster, pod, peer.namespaceSelector as Json)) {
    return false;
  }
  if (peer.podSelector === undefined) return true;
  return labelsFit(peer.podSelector as Json, pod.metadata.labels ?? {});
}

function isInNamespaces(cluster: RawCluster, pod: RawPod, selector: Json): boolean {
  for (const namespace of cluster.namespaces) {
    if (namespace.metadata.name !== pod.metadata.namespace) continue;
    return labelsFit(selector, namespaceLabels(namespace));
  }
  return false;
}

function clusterPeerIs(cluster: RawCluster, peer: Json, address: string): boolean {
  if (peer.networks !== undefined) {
    return (peer.networks as string[]).some((block) => isIn(address, block));
  }
  if (peer.nodes !== undefined) {
    const node = nodeOf(cluster, address);
    return node !== undefined && labelsFit(peer.nodes as Json, node.metadata.labels ?? {});
  }
  const pod = ownerOf(cluster, address);
  if (pod === undefined) return false;
  if (peer.namespaces !== undefined) {
    return isInNamespaces(cluster, pod, peer.namespaces as Json);
  }
  const pods = peer.pods as Json;
  return (
    isInNamespaces(cluster, pod, pods.namespaceSelector as Json) &&
    labelsFit(pods.podSelector as Json, pod.metadata.labels ?? {})
  );
}

function portIs(
  cluster: RawCluster,
  port: Json,
  { to, protocol, port: number }: RawConnection,
): boolean {
  if (number === undefined || (port.protocol ?? "TCP") !== protocol) return false;
  const wanted = port.port;
  if (wanted === undefined) return true;
  if (typeof wanted === "number") {
    return wanted <= number && number <= ((port.endPort as number | undefined) ?? wanted);
  }
  return numbersCalled(cluster, to, wanted as string, protocol).includes(number);
}

function clusterPortIs(cluster: RawCluster, port: Json, connection: RawConnection): boolean {
  const { to, protocol, port: number } = connection;
  if (number === undefined) return false;
  if (port.namedPort !== undefined) {
    return numbersCalled(cluster, to, port.namedPort as string, protocol).includes(number);
  }
  if (port.portNumber !== undefined) {
    const wanted = port.portNumber as { protocol: string; port: number };
    return wanted.protocol === protocol && wanted.port === number;
  }
  const range = port.portRange as { protocol: string; start: number; end: number };
  return range.protocol === protocol && range.start <= number && number <= range.end;
}

function numbersCalled(
  cluster: RawCluster,
  address: string,
  name: string,
  protocol: string,
): number[] {
  const pod = ownerOf(cluster, address);
  const numbers: number[] = [];
  for (const container of pod?.spec.containers ?? []) {
    for (const port of container.ports) {
      if (port.name !== name || (port.protocol ?? "TCP") !== protocol) continue;
      numbers.push(port.containerPort);
    }
  }
  return numbers;
}

function labelsFit(selector: Json | undefined, labels: Record<string, string>): boolean {
  const exact = (selector?.matchLabels ?? {}) as Record<string, string>;
  for (const key of Object.keys(exact)) if (labels[key] !== exact[key]) return false;
  const expressions = (selector?.matchExpressions ?? []) as Json[];
  for (const expression of expressions) {
    const value = labels[expression.key as string];
    const values = (expression.values ?? []) as string[];
    const operator = expression.operator;
    if (operator === "Exists" && value === undefined) return false;
    if (operator === "DoesNotExist" && value !== undefined) return false;
    if (operator === "In" && (value === undefined || values.indexOf(value) < 0)) return false;
    if (operator === "NotIn" && value !== undefined && values.indexOf(value) >= 0) return false;
  }
  return true;
}

/** By the bits, as text. */
function isIn(address: string, cidr: string): boolean {
  const [network, length] = cidr.split("/") as [string, string];
  if (address.includes(":") !== network.includes(":")) return false;
  const count = Number(length);
  return bitsOf(address).slice(0, count) === bitsOf(network).slice(0, count);
}

function bitsOf(address: string): string {
  if (!address.includes(":")) {
    return address
      .split(".")
      .map((octet) => Number(octet).toString(2).padStart(8, "0"))
      .join("");
  }
  const [head, tail] = address.split("::").map((part) => part.split(":").filter((g) => g !== ""));
  const gap = tail === undefined ? [] : Array(8 - head!.length - tail.length).fill("0");
  return [...head!, ...gap, ...(tail ?? [])]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
    .join("");
}
