import { listAnswer } from "../../api/container-models.ts";
import { readAnswer } from "../answer.ts";
import type { CommandHandler } from "../context.ts";
import { writeJson } from "../json-output.ts";

/** Engines name containers by 64 hex digits, of which people read twelve. */
const shortIdDigits = 12;

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
    const id = /^[0-9a-f]{64}$/.test(ref) ? ref.slice(0, shortIdDigits) : ref;
    stdout.write(`${[id, mac, ...cidrs].join(" ")}\n`);
  }
  return 0;
};
