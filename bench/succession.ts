import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Container, Lab } from "../test/hosts/lab.ts";

/**
 * How long containers wait while one router takes over from another:
 *
 *   bun run build && bun run bench succession
 *
 * Three hosts; pings every 2 ms between two pairs of containers of which the first host has one,
 * while its router is replaced by another of the same program. A pause is the time between the
 * answers before and after pings that were lost. `WEAVE_BINARY` names another executable.
 */
const pingSeconds = 10;
const periodMs = 2;

const variants = [
  { what: "sleeve in clear", fastdp: false, password: "" },
  { what: "sleeve with a password", fastdp: false, password: "0123456789abcdef" },
  { what: "a datapath of the kernel", fastdp: true, password: "" },
] as const;

export async function benchSuccession(): Promise<void> {
  const executable = process.env.WEAVE_BINARY ?? join(import.meta.dir, "../dist/weave");
  if (!existsSync(executable)) throw new Error("no dist/weave: run 'bun run build' first");
  process.env.WEAVE_BINARY = executable;
  for (const variant of variants) console.log(`${variant.what}: ${await replaceOne(variant)}`);
}

async function replaceOne(variant: { fastdp: boolean; password: string }): Promise<string> {
  await using lab = await Lab.onSwitch("wu", 3);
  const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
  for (const host of lab.hosts) {
    host.fastdp = variant.fastdp;
    const peers = host === one ? [] : [one.ip];
    await host.launch(peers, { env: { WEAVE_PASSWORD: variant.password } });
  }
  for (const host of lab.hosts) await host.established(2);
  const [mine, theirs] = [await one.container("c1"), await two.container("c2")];
  const [here, there] = [
    await one.mustWeave(["attach", mine.reference]),
    await two.mustWeave(["attach", theirs.reference]),
  ];
  await mine.pings(there);
  const pings = Promise.all([pinged(mine, there), pinged(theirs, here)]);
  await one.mustWeave(["upgrade-self"], { waitMs: 60_000 });
  return (await pings).join("; ");
}

/** Pings, and tells what was lost. */
async function pinged(from: Container, to: string): Promise<string> {
  const words = ["-D", "-n", "-i", String(periodMs / 1000), "-w", String(pingSeconds), to];
  const { stdout } = await from.exec(["ping", ...words], { waitMs: 60_000 });
  const pauses: string[] = [];
  let last: { readonly atMs: number; readonly sequence: number } | undefined;
  let answers = 0;
  for (const [, seconds, number] of stdout.matchAll(/\[(\d+\.\d+)\].* icmp_seq=(\d+) /g)) {
    const answer = { atMs: Number(seconds) * 1000, sequence: Number(number) };
    answers++;
    if (last !== undefined && answer.sequence > last.sequence + 1) {
      const lost = answer.sequence - last.sequence - 1;
      pauses.push(`${lost} lost in ${(answer.atMs - last.atMs).toFixed(0)} ms`);
    }
    last = answer;
  }
  return `${answers} answers, ${pauses.join(", ") || "none lost"}`;
}

if (import.meta.main) await benchSuccession();
