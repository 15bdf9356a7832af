import type { CommandContext } from "../context.ts";
import { ChangePrinter } from "../live/change-printer.ts";
import { intervalOf, machinePace, repeat } from "../live/repeat.ts";

/** Members of documents that are never twice the same, and so no change. */
const restless = new Set(["roundTripMs", "clockOffsetMs", "leaseLeftSeconds", "loss"]);

/**
 * Prints what a look finds, and again whenever it has changed, until it is interrupted.
 *
 * @param first what was found already
 */
export async function watchStatus(
  { flags, stdout, stderr, interrupts }: CommandContext,
  first: string,
  look: () => Promise<string>,
): Promise<number> {
  const printer = flags.enabled("json")
    ? documentPrinter({ stdout, stderr })
    : new ChangePrinter(stdout, () => new Date());
  printer.show(first);
  await repeat({
    intervalMs: intervalOf(flags.text("interval") ?? "2s"),
    ...{ signal: interrupts(), pace: machinePace },
    look: async () => printer.show(await look()),
    missed: (sentence) => printer.missed(sentence),
  });
  return 0;
}

/** A document is one line; what is no document goes elsewhere. */
function documentPrinter({
  stdout,
  stderr,
}: Pick<CommandContext, "stdout" | "stderr">): Pick<ChangePrinter, "show" | "missed"> {
  let [shown, told] = ["", ""];
  return {
    show(text) {
      told = "";
      const calm = withoutRestless(text);
      if (calm !== shown) stdout.write(text);
      shown = calm;
    },
    missed(sentence) {
      if (told === "") stderr.write(`${sentence}\n`);
      told = sentence;
    },
  };
}

function withoutRestless(text: string): string {
  return JSON.stringify(JSON.parse(text), (name, value) =>
    restless.has(name) ? undefined : value,
  );
}
