import { diagnosisModel } from "../../api/diagnosis-models.ts";
import { readAnswer } from "../answer.ts";
import type { ApiClient } from "../api-client.ts";
import { findingCounts } from "../findings-text.ts";

/** How many errors and warnings `weave doctor` would find; empty for none. @throws ApiError */
export async function findingsAtAGlance(api: ApiClient, signal?: AbortSignal): Promise<string> {
  const body = await api.request({ method: "GET", path: ["doctor"], ...(signal && { signal }) });
  const { findings } = readAnswer(diagnosisModel, body);
  return findingCounts(findings.filter(({ severity }) => severity !== "note"));
}
