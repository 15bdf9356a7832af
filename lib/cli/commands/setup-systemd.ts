import { hostname } from "node:os";
import { resolve } from "node:path";
import { launchOptions } from "../../daemon/launch-validation.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import { orUsageError } from "../or-usage-error.ts";
import { serviceFlags } from "../table/launch-flags.ts";

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

/** The options of `weave launch` as words again; a service has no working folder of ours. */
function launchWords({ flags }: CommandContext): string[] {
  return serviceFlags.flatMap(({ name, value }) =>
    flags.list(name).map((text) => {
      if (value === undefined) return text === "true" ? `--${name}` : `--${name}=false`;
      return `--${name}=${value.kind === "file" && text !== "" ? resolve(text) : text}`;
    }),
  );
}
