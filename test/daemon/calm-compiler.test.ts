import { expect, test } from "bun:test";
import { join } from "node:path";
import { calmCompiler } from "../../lib/daemon/calm-compiler.ts";

test("a router under systemd has its compiler slowed down as one of 'weave launch'", async () => {
  const unit = await Bun.file(join(import.meta.dir, "../../deploy/systemd/weave.service")).text();
  const set = unit.matchAll(/\b(BUN_JSC_\w+)=(\S+)/g);
  const variables = Object.fromEntries([...set].map(([, name, value]) => [name, value]));
  expect(variables).toEqual({ ...calmCompiler });
});
