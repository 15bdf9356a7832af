import type { CommandHandler } from "../context.ts";
import { writeJson } from "../json-output.ts";
import { readNetwork } from "../live/network-reading.ts";
import { dotText } from "../map/dot.ts";
import { mapFields } from "../map/map-json.ts";
import { mapLines } from "../map/map-lines.ts";
import { networkMap } from "../map/network-map.ts";
import { outputColumns } from "../output-columns.ts";
import { asciiGlyphs, glyphsOf } from "../terminal/glyphs.ts";
import { lineText } from "../terminal/spans.ts";
import { UsageError } from "../usage-error.ts";

export const map: CommandHandler = async (context) => {
  const { api, flags, stdout, environment } = context;
  if (flags.enabled("dot") && flags.enabled("json")) {
    throw new UsageError("--dot and --json are two forms of the same: choose one");
  }
  const hasContainers = flags.enabled("containers");
  const found = networkMap(await readNetwork(api, "awaited"));
  if (flags.enabled("json")) writeJson(stdout, "map", mapFields(found));
  else if (flags.enabled("dot")) stdout.write(dotText(found, hasContainers));
  else {
    const lines = mapLines(found, {
      glyphs: flags.enabled("ascii") ? asciiGlyphs : glyphsOf(environment),
      columns: outputColumns(context),
      ...{ hasContainers, hasAll: flags.enabled("all"), isEncrypted: found.isEncrypted },
    });
    const isColoured = stdout.isColoured === true;
    stdout.write(lines.map((line) => `${lineText(line, isColoured).trimEnd()}\n`).join(""));
  }
  return 0;
};
