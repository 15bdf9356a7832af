import * as v from "valibot";
import { listAnswer } from "../api/container-models.ts";
import { diagnosisModel, explanationModel } from "../api/diagnosis-models.ts";
import { eventModel } from "../api/event-models.ts";
import { told } from "../api/json-schema.ts";
import {
  changesAnswer,
  policyExplanation,
  policyListAnswer,
  testAnswer,
} from "../api/policy-models.ts";
import { pageAnswer } from "../api/table/picture-table.ts";
import {
  connectionsDocument,
  dnsDocument,
  ipamDocument,
  peersDocument,
  statusDocument,
  targetsDocument,
} from "./status-documents.ts";

const lookupDocument = v.object({
  name: told(v.string(), "as it was asked for"),
  addresses: told(v.array(v.string()), "empty for an unknown name"),
});

const dnsArgsDocument = v.object({
  dns: told(v.nullable(v.string()), "address of weaveDNS; null without it"),
  search: told(v.nullable(v.string()), "domain to look names up in; null without weaveDNS"),
});

const versionDocument = v.object({
  client: told(v.string(), "of this program"),
  router: told(v.nullable(v.string()), "of the router; null when none answers"),
});

const setupCniDocument = v.object({
  program: told(v.string(), "the plugins' executable"),
  links: told(v.array(v.string()), "names under which runtimes call it"),
  network: told(v.nullable(v.string()), "the network's file; null where there is no folder for it"),
  networkIs: told(v.picklist(["written", "kept", "absent"]), "kept: somebody has edited it"),
});

const trace = v.array(
  v.object({
    atMs: told(v.number(), "virtual time"),
    text: v.string(),
    peers: told(v.array(v.number()), "whom it happened to"),
    mark: v.string(),
  }),
);

const simulateDocument = v.object({
  seed: v.number(),
  peers: v.number(),
  faults: v.number(),
  requests: v.number(),
  holds: told(v.boolean(), "whether every invariant held"),
  virtualMs: v.number(),
  tookMs: v.number(),
  messages: v.number(),
  bytes: v.number(),
  breach: v.exactOptional(
    told(
      v.object({
        atMs: told(v.number(), "virtual time"),
        invariant: v.string(),
        found: told(v.string(), "what was found instead"),
        peers: v.array(v.number()),
      }),
      "absent when every invariant held",
    ),
  ),
  shortest: v.exactOptional(
    told(
      v.object({
        steps: told(v.array(v.record(v.string(), v.unknown())), "of the plan"),
        trace,
      }),
      "the shortest history that breaks it",
    ),
  ),
});

interface JsonDocument {
  /** What prints it. */
  readonly line: string;
  readonly schema: v.GenericSchema;
}

/**
 * What commands print with `--json`, by name. All have a member `schema`, `weave/<name>/1`, besides:
 * the number grows when a member changes its meaning or goes; new members do not change it.
 */
export const jsonDocuments = {
  status: { line: "weave status --json", schema: statusDocument },
  "status-targets": { line: "weave status targets --json", schema: targetsDocument },
  "status-connections": { line: "weave status connections --json", schema: connectionsDocument },
  "status-peers": { line: "weave status peers --json", schema: peersDocument },
  "status-dns": { line: "weave status dns --json", schema: dnsDocument },
  "status-ipam": { line: "weave status ipam --json", schema: ipamDocument },
  ps: { line: "weave ps --json", schema: listAnswer },
  "dns-lookup": { line: "weave dns-lookup <name> --json", schema: lookupDocument },
  "dns-args": { line: "weave dns-args --json", schema: dnsArgsDocument },
  doctor: { line: "weave doctor --json", schema: diagnosisModel },
  why: { line: "weave why <place> [<place>] --json", schema: explanationModel },
  ui: { line: "weave ui --json", schema: pageAnswer },
  event: { line: "weave events --json (one for each event)", schema: eventModel },
  "policy-changes": {
    line: "weave policy apply|delete -f <file> --json",
    schema: changesAnswer,
  },
  "policy-list": { line: "weave policy get --json", schema: policyListAnswer },
  "policy-explain": {
    line: "weave policy explain <from> <to> [<port>] --json",
    schema: policyExplanation,
  },
  "policy-test": { line: "weave policy test -f <file> --json", schema: testAnswer },
  version: { line: "weave version --json", schema: versionDocument },
  "setup-cni": { line: "weave setup-cni --json", schema: setupCniDocument },
  simulate: { line: "weave simulate --json", schema: simulateDocument },
} as const satisfies Readonly<Record<string, JsonDocument>>;

export type JsonName = keyof typeof jsonDocuments;

/** The members of a document besides `schema`. */
export type JsonFields<Name extends JsonName> = Unchanged<
  v.InferOutput<(typeof jsonDocuments)[Name]["schema"]>
>;

/** `T` for who only reads it. */
type Unchanged<T> = T extends readonly (infer Item)[]
  ? readonly Unchanged<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Unchanged<T[Name]> }
    : T;
