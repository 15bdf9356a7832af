import { pageAnswer } from "../../api/table/picture-table.ts";
import { readAnswer } from "../answer.ts";
import type { CommandHandler } from "../context.ts";
import { writeJson } from "../json-output.ts";

export const ui: CommandHandler = async ({ api, flags, stdout, stderr }) => {
  const answer = readAnswer(pageAnswer, await api.request({ method: "POST", path: ["ui"] }));
  if (flags.enabled("json")) {
    writeJson(stdout, "ui", answer);
    return 0;
  }
  stdout.write(`${answer.url}\n`);
  if (stdout.isTerminal === true) {
    const { port } = new URL(answer.url);
    stderr.write(`From another machine: ssh -L ${port}:127.0.0.1:${port} <this host>\n`);
  }
  return 0;
};
