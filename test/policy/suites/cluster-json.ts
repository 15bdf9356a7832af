import type { Action, PodName, PolicyJson, Protocol, StringMap } from "./suite-case.ts";

/** A cluster as the API shows it, as far as policies are concerned. */
export interface ClusterJson {
  readonly namespaces: readonly NamespaceJson[];
  readonly pods: readonly PodJson[];
  readonly policies: readonly PolicyJson[];
}

export interface NamespaceJson {
  readonly metadata: { readonly name: string; readonly labels: StringMap };
}

export interface PodJson {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly labels: StringMap;
  };
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly ports: readonly {
        readonly name: string;
        readonly containerPort: number;
        readonly protocol: Protocol;
      }[];
    }[];
  };
  readonly status: { readonly podIP: string; readonly podIPs: readonly { readonly ip: string }[] };
}

export const namespaceNames = ["x", "y", "z"] as const;
export const podNames = ["a", "b", "c"] as const;
export const servedPorts = [80, 81] as const;
export const protocols = ["TCP", "UDP", "SCTP"] as const;

/** What both suites call the ports of their servers. */
export function portName(port: number, protocol: Protocol): string {
  return `serve-${port}-${protocol.toLowerCase()}`;
}

export function namespaceJson(name: string, labels: StringMap): NamespaceJson {
  return { metadata: { name, labels: { ...labels, "kubernetes.io/metadata.name": name } } };
}

/** Three namespaces with label `ns`, and in each three pods with label `pod`; no policy. */
export function startingCluster(addressOf: (pod: PodName) => string = inOrder): ClusterJson {
  return {
    namespaces: namespaceNames.map((name) => namespaceJson(name, { ns: name })),
    pods: startingPods.map((pod) => podJson(pod, { pod: pod.split("/")[1]! }, addressOf(pod))),
    policies: [],
  };
}

export const startingPods: readonly PodName[] = namespaceNames.flatMap((namespace) =>
  podNames.map((name): PodName => `${namespace}/${name}`),
);

/** An address for each pod, where it does not matter which. */
function inOrder(pod: PodName): string {
  return `10.32.0.${10 + startingPods.indexOf(pod)}`;
}

export function podJson(pod: PodName, labels: StringMap, ip: string): PodJson {
  const [namespace, name] = pod.split("/") as [string, string];
  const containers = servedPorts.flatMap((port) =>
    protocols.map((protocol) => ({
      name: `cont-${port}-${protocol.toLowerCase()}`,
      ports: [{ name: portName(port, protocol), containerPort: port, protocol }],
    })),
  );
  const metadata = { namespace, name, uid: `${namespace}-${name}-${ip}`, labels };
  return { metadata, spec: { containers }, status: { podIP: ip, podIPs: [{ ip }] } };
}

/** @param newAddress for a pod that is made */
export function applied(
  cluster: ClusterJson,
  action: Action,
  newAddress: () => string,
): ClusterJson {
  const { namespaces, pods, policies } = cluster;
  switch (action.do) {
    case "put-policy": {
      const others = withoutPolicy(policies, action.policy.metadata);
      return { ...cluster, policies: [...others, action.policy] };
    }
    case "delete-policy":
      return { ...cluster, policies: withoutPolicy(policies, action) };
    case "put-namespace": {
      const others = namespaces.filter(({ metadata }) => metadata.name !== action.namespace);
      const put = namespaceJson(action.namespace, action.labels);
      return { ...cluster, namespaces: [...others, put] };
    }
    case "delete-namespace": {
      const isElsewhere = (object: { metadata: { namespace: string } }): boolean =>
        object.metadata.namespace !== action.namespace;
      return {
        namespaces: namespaces.filter(({ metadata }) => metadata.name !== action.namespace),
        pods: pods.filter(isElsewhere),
        policies: policies.filter(isElsewhere),
      };
    }
    case "create-pod":
      return { ...cluster, pods: [...pods, podJson(action.pod, action.labels, newAddress())] };
    case "label-pod":
      return {
        ...cluster,
        pods: pods.map((pod) =>
          nameOf(pod) === action.pod
            ? { ...pod, metadata: { ...pod.metadata, labels: action.labels } }
            : pod,
        ),
      };
    case "delete-pod":
      return { ...cluster, pods: pods.filter((pod) => nameOf(pod) !== action.pod) };
  }
}

export function nameOf({ metadata: { namespace, name } }: PodJson): PodName {
  return `${namespace}/${name}`;
}

function withoutPolicy(
  policies: readonly PolicyJson[],
  { namespace, name }: { readonly namespace: string; readonly name: string },
): readonly PolicyJson[] {
  return policies.filter(
    ({ metadata }) => metadata.namespace !== namespace || metadata.name !== name,
  );
}
