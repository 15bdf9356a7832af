import { ApiError } from "../api-error.ts";
import type { CommandContext, CommandHandler } from "../context.ts";

export const status: CommandHandler = async (context) => {
  const part = context.arguments[0];
  if (context.flags.enabled("json")) return printJson(context, part);
  const body = await context.api.request({
    method: "GET",
    path: part === undefined ? ["status"] : ["status", part],
  });
  const text = body === "" || body.endsWith("\n") ? body : `${body}\n`;
  // The page stands between blank lines; a list is for scripts and stands alone.
  context.stdout.write(part === undefined ? `\n${text}\n` : text);
  return 0;
};

async function printJson(context: CommandContext, part: string | undefined): Promise<number> {
  const body = await context.api.request({
    method: "GET",
    path: ["report"],
    accept: "application/json",
  });
  // Schemas take longer to make than the page of a router takes to come.
  const { readAnswer } = await import("../answer.ts");
  const { reportModel } = await import("../report-model.ts");
  const { writeStatus } = await import("../status-json.ts");
  if (!writeStatus(context.stdout, part, readAnswer(reportModel, body))) {
    throw new ApiError("feature-off", "API_NOT_FOUND", `the router runs without ${part}`, {
      remedy: "'weave launch --help' shows the options that decide it",
    });
  }
  return 0;
}
