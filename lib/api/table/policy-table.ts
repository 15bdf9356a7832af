import { jsonSchema } from "../json-schema.ts";
import {
  applyBody,
  changesAnswer,
  deleteBody,
  policyExplanation,
  policyListAnswer,
  policyWays,
  testAnswer,
  testBody,
} from "../policy-models.ts";
import type { RouteTable } from "../route-spec.ts";

const ends = [
  {
    name: "from",
    meaning: "a container, `<namespace>/<name>` or an address",
    isRequired: true,
  },
  { name: "to", meaning: "the same", isRequired: true },
] as const;

/** What policies say of two, which changes nothing; the page asks it as well. */
export const policyLookTable = {
  policyExplain: {
    method: "get",
    path: "/policy/explain",
    summary: "tell whether a connection may be opened, and why",
    parameters: [
      ...ends,
      { name: "port", meaning: "at the second; without one ICMP is meant" },
      { name: "protocol", meaning: "`TCP` (default), `UDP`, `SCTP`" },
    ],
    answer: "`allowed`, and `egress` and `ingress` with the rule that decides each",
    success: { status: 200, json: jsonSchema(policyExplanation) },
    fails: [400, 404],
  },
  policyWays: {
    method: "get",
    path: "/policy/ways",
    summary: "tell what two may open to each other, on all ports",
    parameters: [...ends],
    answer:
      "`ways`, there and back, each with `verdicts`: ports that are judged alike, and the rules that decide",
    success: { status: 200, json: jsonSchema(policyWays) },
    fails: [400, 404],
  },
} as const satisfies RouteTable;

/** Policies of all hosts. Documents are those of Kubernetes, as JSON. */
export const policyTable = {
  policyApply: {
    method: "post",
    path: "/policy/apply",
    summary: "make documents hold on all hosts",
    body: jsonSchema(applyBody),
    answer:
      "`changes` (`kind`, `namespace`, `name`, `change`) and `warnings`: it holds on this host when this is answered. Policies without a namespace are in that of the body. 400 for what is no policy, with nothing changed; 409 on a node of Kubernetes",
    success: { status: 200, json: jsonSchema(changesAnswer) },
    fails: [400, 409, 503],
  },
  policyDelete: {
    method: "post",
    path: "/policy/delete",
    summary: "take documents back on all hosts",
    body: jsonSchema(deleteBody),
    answer:
      "`changes` and `warnings`, for what `documents` and `names` name; what is not there is `absent`",
    success: { status: 200, json: jsonSchema(changesAnswer) },
    fails: [400, 409, 503],
  },
  policyList: {
    method: "get",
    path: "/policy",
    summary: "list policies, and whom they are about",
    parameters: [
      {
        name: "now",
        meaning: "only what is known here, without having other hosts tell of their containers",
        isSwitch: true,
      },
    ],
    answer: "`policies`, `pods`, `hosts` and `warnings`",
    success: { status: 200, json: jsonSchema(policyListAnswer) },
  },
  policyTest: {
    method: "post",
    path: "/policy/test",
    summary: "judge connections as if documents held",
    body: jsonSchema(testBody),
    answer:
      "`rows`, one for each expectation of `tables` and family of addresses, and how many `failed`. Nothing is changed",
    success: { status: 200, json: jsonSchema(testAnswer) },
    fails: [400, 404],
  },
} as const satisfies RouteTable;
