import { resolve } from "node:path";
import type { FlagSpec } from "./command-spec.ts";
import type { CommandContext } from "./context.ts";
import { serviceFlags } from "./table/launch-flags.ts";

/** These options of `weave launch` as words again; a service has no working folder of ours. */
export function launchWords(
  { flags }: Pick<CommandContext, "flags">,
  options: readonly FlagSpec[] = serviceFlags,
): string[] {
  return options.flatMap(({ name, value }) =>
    flags.list(name).map((text) => {
      if (value === undefined) return text === "true" ? `--${name}` : `--${name}=false`;
      return `--${name}=${value.kind === "file" && text !== "" ? resolve(text) : text}`;
    }),
  );
}
