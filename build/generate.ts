import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedFiles } from "../lib/cli/generated-files.ts";
import { licencesFile, packageLicences } from "./licences.ts";

/** Writes every committed file that is made from what the program knows, or is made of. */
const root = join(import.meta.dir, "..");
const known = generatedFiles((each) => readFileSync(join(root, each), "utf8"));
const licences = { path: licencesFile, text: packageLicences(root) };
for (const { path, text } of [...known, licences]) {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  console.log(path);
}
