import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root, sourcesUnder, textOf } from "./source-files.ts";

/** Recordings of the original are worth what is made of them: none lies about unread. */
const folder = "test/vectors";

const tests = sourcesUnder("test").map(textOf).join("\n");

/** As a path, as a name that a loader makes a path of, or as one of a family of files. */
function isRead(room: string, file: string): boolean {
  const stem = file.replace(/\.[a-z]+$/, "");
  const [, family, member] = /^(conversation)_(.+)$/.exec(stem) ?? [];
  return (
    tests.includes(`${room}/${file}`) ||
    tests.includes(`"${stem}"`) ||
    (family !== undefined && tests.includes(`${family}_\${`) && tests.includes(`  ${member}: "`))
  );
}

describe("every recording", () => {
  for (const room of readdirSync(join(root, folder))) {
    test(`in ${folder}/${room} is read by a test`, () => {
      const files = readdirSync(join(root, folder, room));
      expect(files.length).toBeGreaterThan(0);
      expect(files.filter((file) => !isRead(room, file))).toEqual([]);
    });
  }
});
