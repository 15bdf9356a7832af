import { expect, test } from "bun:test";
import { drawingFiles } from "../../build/drawings.ts";
import { licencesFile, packageLicences } from "../../build/licences.ts";
import { monitoringFiles } from "../../build/monitoring.ts";
import { generatedFiles } from "../../lib/cli/generated-files.ts";
import { root, textOf } from "./source-files.ts";

for (const { path, text } of [
  ...generatedFiles(textOf),
  ...drawingFiles(textOf),
  ...monitoringFiles(textOf),
]) {
  test(`${path} is what the program says ('bun run generate' writes it)`, () => {
    expect(textOf(path)).toBe(text);
  });
}

test(`${licencesFile} has the licences of all packages ('bun run generate' writes it)`, () => {
  expect(textOf(licencesFile)).toBe(packageLicences(root));
});
