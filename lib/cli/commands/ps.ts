import { listAnswer } from "../../api/container-models.ts";
import { shortEngineId } from "../../base/engine-id.ts";
import { readAnswer } from "../answer.ts";
import type { CommandHandler } from "../context.ts";
import { writeJson } from "../json-output.ts";

export const ps: CommandHandler = async ({ api, arguments: words, flags, stdout }) => {
  const body = await api.request({
    method: "GET",
    path: ["ps"],
    query: words.map((word): [string, string] => ["container", word]),
  });
  const { containers } = readAnswer(listAnswer, body);
  if (flags.enabled("json")) {
    writeJson(stdout, "ps", { containers });
    return 0;
  }
  for (const { ref, mac, cidrs } of containers) {
    stdout.write(`${[shortEngineId(ref) ?? ref, mac, ...cidrs].join(" ")}\n`);
  }
  return 0;
};
