import type { CommandSpec } from "../command-spec.ts";
import { serviceFlags } from "./launch-flags.ts";

/** For the pods of a DaemonSet, and who looks into them. */
export const kubernetesCommands: readonly CommandSpec[] = [
  {
    name: "kube",
    group: "Router",
    needsRoot: true,
    summary: "be the network of a node of Kubernetes",
    description: [
      "What the pods of the DaemonSet in deploy/kubernetes run; docs/kubernetes.md says how to get them. `run`, or no word at all, runs the router in the foreground, with all nodes for its peers, gives pods their interfaces, enforces network policies, and takes back the addresses of nodes that are deleted. `init` loads what is needed of the kernel and installs the CNI plugins; `run` does so as well unless INIT_CONTAINER=true.",
      "`uninstall` leaves nothing of all that on the node. The others are for scripts: `peers` prints the addresses of the other nodes, `check-peer` tells by its exit code whether a peer is in the cluster's list, `reclaim` puts the router's peer there and takes back what removed nodes had, `set-node-status` says that the node has a network, and `uid` prints the identity of the list. Under the name kube-utils this program takes the options by which scripts for Weave Net 2.x ask for the same.",
      "`run` is told what to do by the variables of docs/kubernetes.md, and takes the options and peers of 'weave launch' besides.",
    ],
    arguments: [
      {
        kind: "choice",
        placeholder: "action",
        choices: [
          ...["run", "init", "uninstall"],
          ...["peers", "check-peer", "reclaim", "set-node-status", "uid"],
        ],
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
      {
        name: "node-name",
        value: { kind: "text", placeholder: "name" },
        default: "HOSTNAME",
        summary: "the node, as the API server has it",
      },
      {
        name: "peer-name",
        value: { kind: "text", placeholder: "name" },
        default: "the router's",
        summary: "for `check-peer` and `reclaim`: the peer",
      },
      { name: "follow", summary: "for `reclaim`: go on, whenever a node is removed" },
      { name: "stay", summary: "for `uninstall`: wait afterwards to be stopped, as pods should" },
      ...serviceFlags.map((flag) => ({ ...flag, isElsewhere: true })),
    ],
    examples: [
      { line: "weave kube", explains: "in a pod of the DaemonSet" },
      { line: "weave kube init", explains: "in its init container" },
    ],
    exitCodes: [
      { code: 1, when: "the pod or its node lacks something: stderr says what" },
      { code: 9, when: "`check-peer`: the peer is in the list" },
    ],
  },
];
