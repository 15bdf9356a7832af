import { readFileSync } from "node:fs";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import { extentText } from "../extent-text.ts";
import { writeWholeFile } from "../whole-file.ts";

export const snapshot: CommandHandler = async (context) => {
  const [action, file] = context.arguments;
  if (action === "restore") await restore(context, file ?? "-");
  else await save(context, file ?? "-");
  return 0;
};

async function save({ router, stdout, stderr }: CommandContext, file: string): Promise<void> {
  const { text, extent } = await router.takeSnapshot();
  if (file === "-") stdout.write(text);
  else {
    writeWholeFile(file, text, "SNAPSHOT_WRITE");
    stderr.write(`saved to ${file}: ${extentText(extent)}\n`);
  }
}

async function restore(context: CommandContext, file: string): Promise<void> {
  const { router, flags, stderr } = context;
  const text = file === "-" ? await context.readStdin() : readWhole(file);
  const { savedAt, extent } = await router.restoreSnapshot(text, {
    force: flags.enabled("force"),
    ranges: flags.enabled("ranges"),
  });
  stderr.write(`restored as of ${savedAt}: ${extentText(extent)}\n`);
  stderr.write("go on with: weave launch --resume\n");
}

function readWhole(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new WeaveError("SNAPSHOT_READ", `cannot read ${file}: ${errorText(cause)}`, { cause });
  }
}
