import type { CommandContext, CommandHandler } from "../context.ts";
import { findingsAtAGlance } from "../live/findings-at-a-glance.ts";
import { readEvents } from "../live/follow-events.ts";
import { latestEvents } from "../live/latest-events.ts";
import { type NetworkReading, readNetwork } from "../live/network-reading.ts";
import { intervalOf, machinePace } from "../live/repeat.ts";
import { outputColumns } from "../output-columns.ts";
import { glyphsOf } from "../terminal/glyphs.ts";
import { lineText } from "../terminal/spans.ts";
import { afterwards } from "../top/afterwards.ts";
import { wholeFrame } from "../top/top-frame.ts";
import { TopSession } from "../top/top-session.ts";
import { emptyState, type Happening } from "../top/top-state.ts";

export const top: CommandHandler = async (context) => {
  const { flags, api, openScreen } = context;
  const intervalMs = intervalOf(flags.text("interval") ?? "2s");
  const reading = await readNetwork(api, "own");
  const isOnce = flags.enabled("once") || context.stdout.isTerminal !== true;
  if (isOnce || openScreen === undefined) await printOnce(context, reading, intervalMs);
  else await new TopSession(context, reading).run(intervalMs, openScreen);
  return 0;
};

/** Rates take two readings, where anything counts. */
async function printOnce(
  context: CommandContext,
  reading: NetworkReading,
  intervalMs: number,
): Promise<void> {
  const { api, stdout, environment } = context;
  let state = afterwards(emptyState, { what: "reading", reading });
  const learn = (happening: Happening): void => {
    state = afterwards(state, happening);
  };
  await readEvents(api, {
    query: latestEvents(),
    heard: (event) => learn({ what: "event", event }),
  });
  learn({ what: "findings", findings: await findingsAtAGlance(api) });
  if (reading.picture.links.some(({ own }) => own?.traffic)) {
    await machinePace.wait(intervalMs, context.interrupts());
    learn({ what: "reading", reading: await readNetwork(api, "own") });
  }
  const frame = wholeFrame(state, outputColumns(context), glyphsOf(environment));
  const isColoured = stdout.isColoured === true;
  stdout.write(frame.map((line) => `${lineText(line, isColoured).trimEnd()}\n`).join(""));
}
