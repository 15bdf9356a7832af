import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedFiles } from "../lib/cli/generated-files.ts";
import { drawingFiles } from "./drawings.ts";
import { licencesFile, packageLicences } from "./licences.ts";
import { monitoringFiles } from "./monitoring.ts";

/** Writes every committed file that is made from what the program knows, or is made of. */
const root = join(import.meta.dir, "..");
const textOf = (path: string): string => readFileSync(join(root, path), "utf8");
const licences = { path: licencesFile, text: packageLicences(root) };
for (const { path, text } of [
  ...generatedFiles(textOf),
  ...drawingFiles(textOf),
  ...monitoringFiles(textOf),
  licences,
]) {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  console.log(path);
}
