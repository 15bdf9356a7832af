import { ApiError } from "../api-error.ts";
import type { CommandContext, CommandHandler } from "../context.ts";

export const status: CommandHandler = async (context) => {
  const part = context.arguments[0];
  const look = context.flags.enabled("json") ? jsonText : pageText;
  const text = await look(context, part);
  if (context.flags.enabled("watch")) {
    const { watchStatus } = await import("./status-watch.ts");
    return watchStatus(context, text, () => look(context, part));
  }
  // The page stands between blank lines; a list is for scripts and stands alone.
  const isPage = part === undefined && look === pageText;
  context.stdout.write(isPage ? `\n${text}\n` : text);
  return 0;
};

async function pageText({ api }: CommandContext, part: string | undefined): Promise<string> {
  const path = part === undefined ? ["status"] : ["status", part];
  const body = await api.request({ method: "GET", path });
  return body === "" || body.endsWith("\n") ? body : `${body}\n`;
}

async function jsonText({ api }: CommandContext, part: string | undefined): Promise<string> {
  const path = ["report"];
  const body = await api.request({ method: "GET", path, accept: "application/json" });
  // Schemas take longer to make than the page of a router takes to come.
  const { readAnswer } = await import("../answer.ts");
  const { reportModel } = await import("../report-model.ts");
  const { writeStatus } = await import("../status-json.ts");
  let text = "";
  const output = {
    write(written: string) {
      text += written;
    },
  };
  if (!writeStatus(output, part, readAnswer(reportModel, body))) {
    throw new ApiError("feature-off", "API_NOT_FOUND", `the router runs without ${part}`, {
      remedy: "'weave launch --help' shows the options that decide it",
    });
  }
  return text;
}
