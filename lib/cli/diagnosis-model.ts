import * as v from "valibot";
import { type FindingCode, findingKinds } from "../diagnosis/finding-kinds.ts";

/** Answers of `/doctor` and `/why`, as the command line reads them. */
const codes: readonly string[] = Object.keys(findingKinds);

function isFindingCode(value: unknown): value is FindingCode {
  return typeof value === "string" && codes.includes(value);
}

const findingModel = v.object({
  code: v.custom<FindingCode>(isFindingCode),
  severity: v.picklist(["error", "warning", "note"]),
  about: v.string(),
  sentence: v.string(),
  remedy: v.string(),
  commands: v.array(v.string()),
});

export const explanationModel = v.object({
  from: v.string(),
  to: v.nullable(v.string()),
  verdict: v.picklist(["whole", "degraded", "broken"]),
  answer: v.string(),
  steps: v.array(
    v.object({
      kind: v.picklist(["container", "bridge", "hop", "names", "unseen"]),
      title: v.string(),
      details: v.array(v.object({ name: v.string(), value: v.string() })),
    }),
  ),
  findings: v.array(findingModel),
});

export const diagnosisModel = v.object({
  examined: v.object({
    router: v.nullable(v.string()),
    links: v.number(),
    peers: v.number(),
    containers: v.number(),
  }),
  findings: v.array(findingModel),
});
