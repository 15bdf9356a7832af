import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedFiles } from "../lib/cli/generated-files.ts";

/** Writes every committed file that is made from what the program knows. */
const root = join(import.meta.dir, "..");
for (const { path, text } of generatedFiles((each) => readFileSync(join(root, each), "utf8"))) {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  console.log(path);
}
