import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { weaveCommand } from "./lab.ts";

/** Puts the program under test into `folder` as `weave`; gives a PATH where scripts find it first. */
export function weaveOnPath(folder: string): { PATH: string } {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const words = weaveCommand().map((word) => `'${word}'`);
  writeFileSync(join(bin, "weave"), `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
  chmodSync(join(bin, "weave"), 0o755);
  return { PATH: `${bin}:${process.env.PATH}` };
}
