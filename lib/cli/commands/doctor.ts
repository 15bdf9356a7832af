import { diagnosisModel } from "../../api/diagnosis-models.ts";
import { counted } from "../../base/counted.ts";
import type { Diagnosis } from "../../diagnosis/doctor/diagnosis.ts";
import { worstOf } from "../../diagnosis/finding.ts";
import { readAnswer } from "../answer.ts";
import { ApiError } from "../api-error.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import {
  colourOf,
  findingCounts,
  findingLines,
  findingsExitCode,
  painted,
} from "../findings-text.ts";
import { writeJson } from "../json-output.ts";
import { wrap } from "../text-layout.ts";

/** A router that hangs is a finding, not a reason to hang. */
const routerWaitMs = 15_000;

export const doctor: CommandHandler = async (context) => {
  const diagnosis = await ask(context);
  const { stdout, flags } = context;
  if (flags.enabled("json")) writeJson(stdout, "doctor", { ...diagnosis });
  else stdout.write(doctorText(diagnosis, stdout.isColoured === true));
  return findingsExitCode(worstOf(diagnosis.findings));
};

/** The router knows more; where none answers this host is looked at without it. */
async function ask({ api, router }: CommandContext): Promise<Diagnosis> {
  try {
    const body = await api.request({ method: "GET", path: ["doctor"], waitMs: routerWaitMs });
    return readAnswer(diagnosisModel, body);
  } catch (error) {
    const isAbsent =
      error instanceof ApiError && error.kind === "unreachable" && error.code !== "API_FORBIDDEN";
    if (!isAbsent) throw error;
    return router.examine();
  }
}

/** The first line answers; every finding follows, the worst first. */
export function doctorText(diagnosis: Diagnosis, isColoured: boolean): string {
  const { findings } = diagnosis;
  const worst = worstOf(findings);
  const verdict = worst === undefined ? "Nothing found to mend" : findingCounts(findings);
  const [first, ...more] = wrap(`${verdict}: ${examinedText(diagnosis)}.`);
  const lines = [painted(first!, colourOf(worst, isColoured)), ...more];
  for (const each of findings) lines.push("", ...findingLines(each, isColoured));
  return `${lines.join("\n")}\n`;
}

function examinedText({ examined }: Diagnosis): string {
  const { router, links, peers, containers } = examined;
  const inside = counted(containers, "container");
  if (router === null) return `looked at this host, ${inside}, and no router`;
  return `looked at ${router}, ${counted(links, "link")}, ${counted(peers, "peer")}, ${inside}`;
}
