import { hostname } from "node:os";
import { launchOptions } from "../../daemon/launch-validation.ts";
import { chooseEngine, engineVariables } from "../../docker/engine-choice.ts";
import type { CommandHandler } from "../context.ts";
import { launchWords } from "../launch-words.ts";
import { orUsageError } from "../or-usage-error.ts";
import { withProgress } from "../progress.ts";

export const setupSystemd: CommandHandler = async (context) => {
  const { arguments: peers, environment, flags, router, stdout } = context;
  // A service that cannot start because of a word or a variable is told so now.
  chooseEngine(flags.text("docker-api"), environment);
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
  const request = {
    words: [...launchWords(context), ...peers],
    engineVariables: engineVariables(environment),
    root: flags.text("root") || "/",
    now: flags.enabled("now"),
  };
  const what = "waiting for systemd";
  const sentences = await withProgress(context, what, () => router.setUpService(request));
  for (const sentence of sentences) stdout.write(`${sentence}\n`);
  return 0;
};
