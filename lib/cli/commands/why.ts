import { explanationModel } from "../../api/diagnosis-models.ts";
import { worstOf } from "../../diagnosis/finding.ts";
import type { Explanation } from "../../diagnosis/why/explanation.ts";
import { readAnswer } from "../answer.ts";
import type { CommandHandler } from "../context.ts";
import { bold, colourOf, findingLines, findingsExitCode, painted } from "../findings-text.ts";
import { writeJson } from "../json-output.ts";
import { definitions, wrap } from "../text-layout.ts";

export const why: CommandHandler = async ({ api, arguments: words, flags, stdout }) => {
  const [from, to] = words;
  const body = await api.request({
    method: "GET",
    path: ["why"],
    query: [["from", from!], ...(to === undefined ? [] : [["to", to] as const])],
  });
  const explanation = readAnswer(explanationModel, body);
  if (flags.enabled("json")) writeJson(stdout, "why", { ...explanation });
  else stdout.write(whyText(explanation, stdout.isColoured === true));
  return findingsExitCode(worstOf(explanation.findings));
};

/** The first line answers; the way follows step by step, then what is wrong with it. */
export function whyText(explanation: Explanation, isColoured: boolean): string {
  const { answer, steps, findings } = explanation;
  const colour = colourOf(worstOf(findings), isColoured);
  const lines = wrap(`${answer}.`).map((line) => painted(line, colour));
  for (const { title, details } of steps) {
    const rows = details.map(({ name, value }) => [name, value] as const);
    lines.push("", painted(title, isColoured ? bold : undefined), ...definitions(rows));
  }
  for (const each of findings) lines.push("", ...findingLines(each, isColoured));
  return `${lines.join("\n")}\n`;
}
