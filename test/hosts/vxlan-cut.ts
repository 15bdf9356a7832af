import { parseArgs } from "node:util";
import { type Attached, containerOn, meshOverFastdp, overFor, vxlanFrom } from "./fastdp-lab.ts";
import type { Lab } from "./lab.ts";
import { must } from "./shell.ts";
import { Talk } from "./traffic.ts";

/**
 * Two hosts with a datapath between which VXLAN alone is lost, both ways, and comes back, under a stream
 * each way: how long until both use sleeve, and fastdp again, and how long the streams pause meanwhile.
 *
 *   bun run build && bun test/hosts/vxlan-cut.ts [--rounds 5]
 *
 * Each round has hosts of its own, so that a path which was lost once is not trusted less.
 */
export interface CutOutcome {
  /** From the loss until both say that frames take sleeve, in ms. */
  readonly leftMs: number;
  /** The longest time without anything new in one of the streams meanwhile, in ms. */
  readonly leavingPauseMs: number;
  /** From the end of the loss until both say that frames take fastdp, in ms. */
  readonly backMs: number;
  readonly returningPauseMs: number;
}

export async function cutVxlan(prefix: string): Promise<CutOutcome> {
  await using lab = await meshOverFastdp(prefix, 2);
  const ends = await Promise.all(lab.hosts.map((host) => containerOn(host, `c${host.number}`)));
  const [left, right] = ends as [Attached, Attached];
  await left.container.pings(right.ip);
  const leaving = await change(lab, ends, "-A", "sleeve");
  const returning = await change(lab, ends, "-D", "fastdp");
  return {
    leftMs: leaving.tookMs,
    leavingPauseMs: leaving.pauseMs,
    backMs: returning.tookMs,
    returningPauseMs: returning.pauseMs,
  };
}

async function change(
  { hosts }: Lab,
  ends: readonly Attached[],
  action: "-A" | "-D",
  overlay: string,
): Promise<{ tookMs: number; pauseMs: number }> {
  const [left, right] = ends as [Attached, Attached];
  const talk = await Talk.begin(left.container, right.container, right.ip);
  try {
    const startMs = performance.now();
    await Promise.all(hosts.map((host) => vxlanFrom(host, action)));
    for (const host of hosts) await overFor(host, overlay, 1, 90_000);
    const tookMs = Math.round(performance.now() - startMs);
    await talk.goesOn();
    // What it says of itself is a second old.
    await must(["sleep", "2"]);
    return { tookMs, pauseMs: talk.longestPauseMs };
  } finally {
    talk.end();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
  for (let left = Number(values.rounds); left > 0; left--) {
    console.log(JSON.stringify(await cutVxlan("fkc")));
  }
}
