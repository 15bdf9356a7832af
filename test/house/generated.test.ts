import { expect, test } from "bun:test";
import { generatedFiles } from "../../lib/cli/generated-files.ts";
import { textOf } from "./source-files.ts";

for (const { path, text } of generatedFiles(textOf)) {
  test(`${path} is what the program says ('bun run generate' writes it)`, () => {
    expect(textOf(path)).toBe(text);
  });
}
