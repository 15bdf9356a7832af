import type { CommandSpec, FlagSpec } from "../command-spec.ts";
import { serviceFlags } from "./launch-flags.ts";

const nodeName: FlagSpec = {
  name: "node-name",
  value: { kind: "text", placeholder: "name" },
  default: "HOSTNAME",
  summary: "the node, as the API server has it",
};

/** For the pods of a DaemonSet, and who looks into them. */
export const kubernetesCommands: readonly CommandSpec[] = [
  {
    name: "kube",
    group: "Router",
    needsRoot: true,
    summary: "be the network of a node of Kubernetes",
    description: [
      "What the pods of the DaemonSet in deploy/kubernetes run; docs/kubernetes.md says how to get them. `run`, or no word at all, runs the router in the foreground, with all nodes for its peers, gives pods their interfaces, enforces network policies, and takes back the addresses of nodes that are deleted. `init` loads what is needed of the kernel and installs the CNI plugins; `run` does so as well unless INIT_CONTAINER=true.",
      "`uninstall` leaves nothing of all that on the node.",
      "`run` is told what to do by the variables of docs/kubernetes.md, and takes the options and peers of 'weave launch' besides.",
    ],
    arguments: [
      {
        kind: "choice",
        placeholder: "action",
        choices: ["run", "init", "uninstall"],
        summary: "what to do; `run` without",
        minimum: 0,
        maximum: 1,
      },
      {
        kind: "peer",
        placeholder: "peer",
        summary: "for `run`: peers besides the nodes of the cluster",
        minimum: 0,
        maximum: "many",
      },
    ],
    flags: [
      nodeName,
      {
        name: "network",
        summary: "for `init`: install the network as well, which `run` does once there is a router",
      },
      { name: "stay", summary: "for `uninstall`: wait afterwards to be stopped, as pods should" },
      ...serviceFlags.map((flag) => ({ ...flag, isElsewhere: true })),
    ],
    examples: [
      { line: "weave kube", explains: "in a pod of the DaemonSet" },
      { line: "weave kube init", explains: "in its init container" },
    ],
    exitCodes: [{ code: 1, when: "the pod or its node lacks something: stderr says what" }],
  },
  {
    name: "kube-utils",
    group: "More",
    hidden: true,
    needsRoot: true,
    summary: "answer scripts about a cluster of Kubernetes",
    description: [
      "`peers` prints the addresses of the other nodes, `check-peer` tells by its exit code whether a peer is in the cluster's list, `reclaim` puts the router's peer there and takes back what removed nodes had, `set-node-status` says that the node has a network, and `uid` prints the identity of the list. When this program itself is called kube-utils it takes the options of the program of that name in Weave Net 2.x.",
    ],
    arguments: [
      {
        kind: "choice",
        placeholder: "action",
        choices: ["peers", "check-peer", "reclaim", "set-node-status", "uid"],
        summary: "what to do",
        minimum: 1,
        maximum: 1,
      },
    ],
    flags: [
      nodeName,
      {
        name: "peer-name",
        value: { kind: "text", placeholder: "name" },
        default: "the router's",
        summary: "the peer",
      },
      { name: "follow", summary: "for `reclaim`: go on, whenever a node is removed" },
      {
        name: "print-k8s-version",
        summary: "",
        refusal: "is gone, with the check for new versions that it was for",
      },
    ],
    examples: [{ line: "weave kube-utils peers", explains: "who a new router should connect to" }],
    exitCodes: [
      { code: 1, when: "the API server does not answer, or refuses" },
      { code: 9, when: "`check-peer`: the peer is in the list" },
    ],
    usageExitCode: 2,
  },
];
