import { basename } from "node:path";
import { utf8 } from "../../base/bytes.ts";
import { bundleContents } from "../../incident/contents.ts";
import { type Redactable, redactable } from "../../incident/pseudonyms.ts";
import { readBundle } from "../../incident/read-bundle.ts";
import { writeBundleFile } from "../bundle-file.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import { UsageError } from "../usage-error.ts";

export const report: CommandHandler = async (context) => {
  const { api, flags, stdout } = context;
  if (flags.enabled("bundle")) return writeBundle(context);
  for (const [given, what] of [
    [context.arguments.length > 0, "a file"],
    [flags.text("redact") !== undefined, "--redact"],
  ] as const) {
    if (given) throw new UsageError(`${what} goes with --bundle`);
  }
  const format = flags.text("format");
  const body = await api.request(
    format === undefined
      ? { method: "GET", path: ["report"], accept: "application/json" }
      : { method: "GET", path: ["report"], query: [["format", format]] },
  );
  stdout.write(body);
  return 0;
};

/** On hosts with many rules and containers the router takes a while to look at all of them. */
const lookWaitMs = 120_000;

async function writeBundle({ api, flags, stdout, stderr, ...context }: CommandContext) {
  if (flags.text("format") !== undefined) throw new UsageError("--bundle has a format of its own");
  const redact = readRedact(flags.text("redact"));
  stderr.write("the router gathers its report, history, findings and measurements ...\n");
  const text = await api.request({
    ...{ method: "GET", path: ["report", "bundle"], waitMs: lookWaitMs },
    query: redact.map((word) => ["redact", word] as const),
  });
  const bundle = readBundle(text);
  const file = context.arguments[0] ?? `${fileName(bundle.report.Router.NickName)}.json.gz`;
  if (file === "-") {
    stdout.write(text);
  } else {
    const bytes = writeBundleFile(file, text);
    const size = `${kilobytes(bytes)}, ${kilobytes(utf8(text).length)} as JSON`;
    stderr.write(`written to ${file}, for this user alone: ${size}\n`);
  }
  for (const line of bundleContents(bundle)) stderr.write(`  ${line}\n`);
  stderr.write(
    "no passwords, keys, tokens, labels or environment are in it; see for yourself: zcat <file>\n",
  );
  if (redact.length === 0) {
    stderr.write("it tells names and addresses: --redact addresses,names for a public place\n");
  }
  if (file !== "-") stderr.write(`replay it with: weave simulate --bundle ${file}\n`);
  return 0;
}

function readRedact(text: string | undefined): Redactable[] {
  if (text === undefined) return [];
  return text.split(",").map((word) => {
    const known = redactable.find((each) => each === word);
    if (known !== undefined) return known;
    throw new UsageError(`--redact takes ${redactable.join(" and ")}, not "${word}"`);
  });
}

/** Nothing of a nickname leads to another folder. */
function fileName(nickname: string): string {
  return `weave-${basename(nickname).replaceAll(/[^\w.-]/g, "_")}`;
}

function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1000)} kB`;
}
