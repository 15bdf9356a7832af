import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedFiles } from "../lib/cli/generated-files.ts";

/** Writes everything that is made from the command table. */
const root = join(import.meta.dir, "..");
for (const { path, text } of generatedFiles()) {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  console.log(path);
}
