import { completionScript } from "../completions/scripts.ts";
import type { CommandHandler } from "../context.ts";

export const completion: CommandHandler = async ({ arguments: words, stdout }) => {
  stdout.write(completionScript(words[0]!));
  return 0;
};
