import * as v from "valibot";
import { findingCodes } from "../diagnosis/finding-kinds.ts";
import { told } from "./json-schema.ts";

/** Answers of `/doctor` and `/why`, as the router gives them and the command line reads them. */

const finding = v.object({
  code: told(v.picklist(findingCodes), "keeps its meaning between releases; see doctor.md"),
  severity: v.picklist(["error", "warning", "note"]),
  about: told(v.string(), "a device, a peer, a container, a rule"),
  sentence: told(v.string(), "what is wrong"),
  remedy: told(v.string(), "what to do"),
  commands: told(v.array(v.string()), "what mends it, in order and ready for a shell"),
});

const findings = told(v.array(finding), "the worst first");

export const explanationModel = v.object({
  from: v.string(),
  to: told(v.nullable(v.string()), "null where one place was asked for"),
  verdict: told(v.picklist(["whole", "degraded", "broken"]), "how well frames get there"),
  answer: told(v.string(), "the question answered in one sentence"),
  steps: told(
    v.array(
      v.object({
        kind: v.picklist(["container", "bridge", "policy", "hop", "names", "unseen"]),
        title: told(v.string(), "where the frame is"),
        details: v.array(v.object({ name: v.string(), value: v.string() })),
      }),
    ),
    "the way of a frame",
  ),
  findings,
});

export const diagnosisModel = v.object({
  examined: told(
    v.object({
      router: told(v.nullable(v.string()), "its nickname; null where none answers"),
      links: v.number(),
      peers: v.number(),
      containers: v.number(),
    }),
    "what was looked at",
  ),
  findings,
});
