import { naivelyAllowed } from "../naive-evaluator.ts";
import {
  applied,
  type ClusterJson,
  nameOf,
  protocols,
  servedPorts,
  startingCluster,
} from "./cluster-json.ts";
import { action } from "./cyclonus/actions.ts";
import {
  type Actions,
  type AddressOf,
  all,
  basePolicy,
  directions,
  label,
  once,
  oneOf,
  withPeers,
} from "./cyclonus/base-policy.ts";
import { conflict } from "./cyclonus/conflicts.ts";
import { peers } from "./cyclonus/peers.ts";
import { portProtocol } from "./cyclonus/ports.ts";
import {
  type Action,
  type PolicySpecJson,
  type Probe,
  policyJson,
  type Step,
  type SuiteCase,
} from "./suite-case.ts";
import { upstreamCases } from "./upstream.ts";

/**
 * The cases that Cyclonus generates (kubernetes.md §11.2): one policy in which a part at a time is
 * replaced. Everything is probed at every port. What is expected Cyclonus computes itself; here
 * `naive-evaluator.ts` does, which is not what is tested.
 */
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
