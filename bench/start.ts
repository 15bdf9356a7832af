import { statSync } from "node:fs";
import { join } from "node:path";
import { inTurn, shown } from "./measure.ts";

/**
 * How long a command takes to start and how large the executable is:
 *
 *   bun run build && bun run bench start
 *
 * `/bin/true` beside it is what starting any process costs on this machine.
 */
const executable = join(import.meta.dir, "../dist/weave");

async function milliseconds(command: readonly string[]): Promise<number> {
  const start = performance.now();
  await Bun.spawn([...command], { stdout: "ignore", stderr: "ignore" }).exited;
  return performance.now() - start;
}

export async function benchStart(): Promise<void> {
  const results = await inTurn(
    {
      "/bin/true": () => milliseconds(["/bin/true"]),
      "weave version": () => milliseconds([executable, "version"]),
      "weave attach --help": () => milliseconds([executable, "attach", "--help"]),
    },
    21,
  );
  for (const [name, values] of Object.entries(results)) console.log(`${name}: ${shown(values)} ms`);
  console.log(`size: ${(statSync(executable).size / 1e6).toFixed(1)} MB`);
}
