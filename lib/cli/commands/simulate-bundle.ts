import { parseDurationMs } from "../../daemon/duration.ts";
import { IncidentReplay, type ReplayEnd, type Scene } from "../../simulator/incident/replay.ts";
import { type Script, scriptOf } from "../../simulator/incident/script.ts";
import { readBundleFile } from "../bundle-file.ts";
import type { CommandContext } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import type { JsonFields } from "../json-documents.ts";
import { writeJson } from "../json-output.ts";
import { beginningText, eachText, endText, sceneText } from "../replay-text.ts";
import { UsageError } from "../usage-error.ts";

/** Of histories that are made up; a bundle has its own. */
const inventedFlags = ["peers", "faults", "minutes", "reclaim", "trace"];

/** Replays what a bundle tells. @throws WeaveError `BUNDLE_…` */
export async function simulateBundle(context: CommandContext, file: string): Promise<number> {
  const { flags, stdout } = context;
  const invented = inventedFlags.find(
    (name) => flags.text(name) !== undefined || flags.enabled(name),
  );
  if (invented !== undefined) throw new UsageError(`--${invented} does not go with --bundle`);
  const script = scriptOf(readBundleFile(file));
  const step = readStep(flags.text("step"), script);
  const replay = new IncidentReplay(script, {
    seed: Number(flags.text("seed") ?? 1),
    ...{ steps: step, untilMs: readUntil(flags.text("until"), script) },
  });
  const isQuiet = flags.enabled("json");
  const tell = (text: string): void => {
    if (!isQuiet) stdout.write(text);
  };
  const scenes: Scene[] = [await replay.begin()];
  tell(beginningText(script, scenes[0]!));
  for await (const scene of replay.play()) {
    scenes.push(scene);
    tell(sceneText(script.cast, scene));
  }
  if (step !== undefined) tell(eachText(script.cast, scenes.at(-1)!));
  const end = await replay.end();
  if (isQuiet) writeJson(stdout, "simulate-bundle", fieldsOf(script, scenes, end));
  else tell(endText(script, end));
  return end.healing.isWhole ? exitCode.success : exitCode.failure;
}

function readStep(text: string | undefined, { moments }: Script): number | undefined {
  if (text === undefined) return undefined;
  const step = Number(text);
  if (step >= 0 && step <= moments.length) return step;
  throw new UsageError(`--step must be 0 to ${moments.length}, the moments of this bundle`);
}

/** A time of day, or how long after the first moment. */
function readUntil(text: string | undefined, { moments }: Script): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{4}-/.test(text)) return (moments[0]?.atMs ?? 0) + parseDurationMs(text);
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs)) throw new UsageError(`--until takes RFC 3339 or a duration, not ${text}`);
  return atMs;
}

function fieldsOf(
  { cast, observer, notes }: Script,
  scenes: readonly Scene[],
  { asTold, differing, healing }: ReplayEnd,
): JsonFields<"simulate-bundle"> {
  const labels = (numbers: readonly number[]) => numbers.map((number) => cast.label(number));
  const fields = ({ step, atMs, virtualMs, texts, beliefs }: Scene) => ({
    ...{ step, at: atMs === undefined ? null : new Date(atMs).toISOString(), virtualMs, texts },
    ...{ parts: beliefs.parts.map(labels), rings: beliefs.rings.map(labels) },
    peers: beliefs.each.map((belief) => ({
      ...{ peer: cast.label(belief.number), names: belief.names },
      reaches: belief.reached.map((peer) => cast.nickname(peer)),
      addressesOutOfReach: [...belief.stranded.values()].reduce((sum, count) => sum + count, 0),
    })),
  });
  return {
    ...{
      observer: cast.label(observer),
      peers: cast.names.map((name) => cast.nickname(name)),
      notes,
    },
    scenes: scenes.map(fields),
    asTold: asTold ?? null,
    differing: differing.map(labels),
    heals: healing.isWhole,
    healedAfterMs: healing.afterMs,
    end: fields(healing.scene),
  };
}
