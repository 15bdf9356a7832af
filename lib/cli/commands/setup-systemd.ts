import { hostname } from "node:os";
import { launchOptions } from "../../daemon/launch-validation.ts";
import type { CommandHandler } from "../context.ts";
import { launchWords } from "../launch-words.ts";
import { orUsageError } from "../or-usage-error.ts";

export const setupSystemd: CommandHandler = async (context) => {
  const { arguments: peers, flags, router, stdout } = context;
  // A service that cannot start because of a word is told so now.
  orUsageError(context, () =>
    launchOptions(
      {
        peers,
        enabled: (flag) => flags.enabled(flag),
        text: (flag) => flags.text(flag),
        list: (flag) => flags.list(flag),
      },
      { hostname: hostname() },
    ),
  );
  const sentences = await router.setUpService({
    words: [...launchWords(context), ...peers],
    root: flags.text("root") || "/",
    now: flags.enabled("now"),
  });
  for (const sentence of sentences) stdout.write(`${sentence}\n`);
  return 0;
};
