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
import type { Unchanged } from "../base/schema.ts";
import { bundleModel } from "../incident/bundle.ts";
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

const mapDocument = v.object({
  hosts: v.array(
    v.object({
      name: told(v.string(), "a peer name"),
      nickname: v.string(),
      self: told(v.boolean(), "whether it is this host"),
      reached: told(v.boolean(), "whether frames from here find a way there"),
      island: told(v.number(), "the same for hosts that links join; 0 is that of this host"),
      via: v.exactOptional(told(v.string(), "the nickname of the neighbour that passes frames on")),
      containers: v.array(
        v.object({
          id: v.string(),
          name: v.string(),
          names: told(v.array(v.string()), "in DNS"),
          addresses: told(v.array(v.string()), "with prefix length where that is known"),
        }),
      ),
    }),
  ),
  links: v.array(
    v.object({
      from: told(v.string(), "a peer name"),
      to: told(v.string(), "a peer name"),
      state: told(
        v.string(),
        "established, one-sided where one end alone says so, or as status connections has it",
      ),
      overlay: v.exactOptional(
        told(
          v.string(),
          "as the ends of the link say, as the following; missing where neither tells",
        ),
      ),
      encrypted: v.exactOptional(v.boolean()),
      roundTripMs: v.exactOptional(v.number()),
      mtu: v.exactOptional(v.number()),
      differences: v.exactOptional(
        told(
          v.array(
            v.object({
              what: told(v.string(), "overlay, encrypted or mtu"),
              from: told(v.string(), "as that end says"),
              to: v.string(),
            }),
          ),
          "what its ends say otherwise than each other",
        ),
      ),
    }),
  ),
  missing: told(
    v.array(
      v.object({
        name: told(v.string(), "a peer name"),
        nickname: v.string(),
        addresses: told(v.number(), "that it owns"),
      }),
    ),
    "hosts that own addresses and that nobody hears of",
  ),
  problems: told(v.array(v.string()), "sentences"),
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

const sceneDocument = v.object({
  step: told(v.number(), "counted from 1; 0 for the beginning"),
  at: told(
    v.nullable(v.string()),
    "RFC 3339, as it was recorded; null for the beginning and the end",
  ),
  virtualMs: told(v.number(), "into the replay"),
  texts: told(v.array(v.string()), "what happened"),
  parts: told(v.array(v.array(v.string())), "peers that reach the same ones"),
  rings: told(v.array(v.array(v.string())), "peers that have the same ring"),
  peers: told(
    v.array(
      v.object({
        ...{ peer: v.string(), reaches: v.array(v.string()), names: v.number() },
        addressesOutOfReach: v.number(),
      }),
    ),
    "what each that runs believes",
  ),
});

const simulateBundleDocument = v.object({
  observer: told(v.string(), "whose bundle it is"),
  peers: v.array(v.string()),
  notes: told(v.array(v.string()), "what the bundle cannot say"),
  scenes: v.array(sceneDocument),
  asTold: told(
    v.nullable(v.boolean()),
    "whether links end as the bundle tells; null when not all of it was replayed",
  ),
  differing: told(v.array(v.array(v.string())), "pairs whose links do not"),
  heals: told(v.boolean(), "whether all reach all and have one ring with everything plugged in"),
  healedAfterMs: told(v.number(), "virtual time"),
  end: told(sceneDocument, "after that"),
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
  map: { line: "weave map --json", schema: mapDocument },
  ps: { line: "weave ps --json", schema: listAnswer },
  "dns-lookup": { line: "weave dns-lookup <name> --json", schema: lookupDocument },
  "dns-args": { line: "weave dns-args --json", schema: dnsArgsDocument },
  doctor: { line: "weave doctor --json", schema: diagnosisModel },
  why: { line: "weave why <place> [<place>] --json", schema: explanationModel },
  incident: { line: "weave report --bundle -", schema: bundleModel },
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
  "simulate-bundle": {
    line: "weave simulate --bundle <file> --json",
    schema: simulateBundleDocument,
  },
} as const satisfies Readonly<Record<string, JsonDocument>>;

export type JsonName = keyof typeof jsonDocuments;

/** The members of a document besides `schema`. */
export type JsonFields<Name extends JsonName> = Unchanged<
  v.InferOutput<(typeof jsonDocuments)[Name]["schema"]>
>;
