import type { CommandSpec } from "../command-spec.ts";
import { jsonFlag, notRunning } from "./shared-parts.ts";

/** Who may connect to whom. */
export const policyCommands: readonly CommandSpec[] = [
  {
    name: "policy",
    group: "Containers",
    summary: "say who may connect to whom, on all hosts",
    description: [
      "apply makes the documents of files hold on all hosts: NetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy as Kubernetes has them, and Namespace for the labels of one. A file is YAML or JSON, with one document, several or a List. All documents are read before any of them holds, and when the command ends they hold on this host; others follow within moments.",
      "delete takes documents back: those of files, or those named as <namespace>/<name> or <kind>/<name>. What is not there is no error.",
      "get lists the policies, or `pods`: whom they are about, or `hosts`: who enforces them. A name prints that document.",
      "explain tells whether one container may connect to another, and which rule of which policy decides at either end. Both are containers, <namespace>/<name> or addresses; without a port ICMP is meant.",
      "test judges connections as if the documents of files held, and changes nothing. What is expected stands in documents of the same files: `expectations:`, and under it entries of from, to, port, protocol (TCP, UDP, SCTP or ICMP) and allowed (true or false).",
      "A container is in the namespace that its label weave.works/namespace says, else in `default`. Its labels are those of Docker, or of `weave attach --label`. docs/policy.md says the rest.",
    ],
    arguments: [
      {
        kind: "choice",
        placeholder: "action",
        choices: ["apply", "delete", "get", "explain", "test"],
        summary: "what to do",
        minimum: 1,
        maximum: 1,
      },
      {
        kind: "policy",
        placeholder: "word",
        summary: "names, ends of a connection, a port: see above",
        minimum: 0,
        maximum: "many",
      },
    ],
    flags: [
      {
        name: "filename",
        short: "f",
        value: { kind: "file", placeholder: "file" },
        repeatable: true,
        summary: "a file of documents; - for standard input",
      },
      {
        name: "namespace",
        short: "n",
        value: { kind: "text", placeholder: "namespace" },
        default: "default",
        summary: "of policies that say none",
      },
      jsonFlag,
    ],
    examples: [
      { line: "weave policy apply -f shop.yaml", explains: "on all hosts" },
      { line: "weave policy explain shop/web shop/db 5432", explains: "and which rule says so" },
      { line: "weave policy test -f shop.yaml -f expected.yaml", explains: "before it is applied" },
      { line: "weave policy delete shop/deny-all", explains: "one policy" },
    ],
    exitCodes: [
      {
        code: 1,
        when: "a document cannot be read, or test: an expectation is not met, or there is none",
      },
      notRunning,
    ],
  },
];
