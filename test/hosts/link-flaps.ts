import { parseArgs } from "node:util";
import { type Random, randomBelow } from "../../lib/base/random.ts";
import { loneWorld } from "../sim/world.ts";
import { type Attached, containerOn, meshOverFastdp, overFor } from "./fastdp-lab.ts";
import type { Host, Lab } from "./lab.ts";
import { must } from "./shell.ts";
import { Chatter, Talk } from "./traffic.ts";

/**
 * Three hosts with a datapath in a triangle, of whose links one is lost every second, another or the
 * same in the next second, by a plan that a seed makes. Meanwhile four streams go both ways, and each
 * host broadcasts twenty times a second.
 *
 *   bun test/hosts/link-flaps.ts [--seconds 120] [--seed 1] [--breaks]
 *
 * A link that is lost carries nothing. With `--breaks` its mesh connection ends at once as well, so that
 * the topology changes as often.
 */
export interface Flaps {
  readonly seconds: number;
  readonly seed: number;
  readonly breaks: boolean;
}

export interface FlapsOutcome {
  /** Of a stream, in ms. */
  readonly longestPauseMs: number;
  readonly said: number;
  /** Broadcasts heard, of twice as many as were said. */
  readonly heard: number;
  readonly heardAgain: number;
  /** Frames that datapaths flooded or relayed, all hosts together. */
  readonly flooded: number;
  readonly relayed: number;
}

/** Three hosts connected to each other over fastdp, with a container each. */
export class Triangle implements AsyncDisposable {
  readonly lab: Lab;
  readonly ends: readonly Attached[];

  private constructor(lab: Lab, ends: readonly Attached[]) {
    this.lab = lab;
    this.ends = ends;
  }

  static async up(prefix: string): Promise<Triangle> {
    const lab = await meshOverFastdp(prefix, 3);
    const ends = await Promise.all(lab.hosts.map((host) => containerOn(host, `c${host.number}`)));
    return new Triangle(lab, ends);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.lab[Symbol.asyncDispose]();
  }
}

/** @throws Error when a stream ends, or links do not come back to fastdp */
export async function flap({ lab, ends }: Triangle, flaps: Flaps): Promise<FlapsOutcome> {
  const [a, b, c] = ends as [Attached, Attached, Attached];
  const ways = [[a, b] as const, [b, c] as const, [c, a] as const, [a, c] as const];
  for (const [from, to] of ways) await from.container.pings(to.ip);
  const talks = await Promise.all(
    ways.map(([from, to], at) => Talk.begin(from.container, to.container, to.ip, 5100 + at)),
  );
  const before = await floods(lab);
  const chatters = await Promise.all(ends.map(({ container }) => Chatter.begin(container)));
  try {
    await loseLinks(lab, flaps);
    for (const host of lab.hosts) await overFor(host, "fastdp", 2, 90_000);
    for (const talk of talks) await talk.goesOn(60_000);
    for (const chatter of chatters) await chatter.goesOn();
    const after = await floods(lab);
    const sum = (of: (chatter: Chatter) => number): number =>
      chatters.reduce((total, chatter) => total + of(chatter), 0);
    return {
      longestPauseMs: Math.max(...talks.map(({ longestPauseMs }) => longestPauseMs)),
      said: sum(({ said }) => said),
      heard: sum(({ heard }) => heard),
      heardAgain: sum(({ heardAgain }) => heardAgain),
      flooded: after.flooded - before.flooded,
      relayed: after.relayed - before.relayed,
    };
  } finally {
    for (const each of [...talks, ...chatters]) each.end();
  }
}

async function loseLinks({ hosts }: Lab, { seconds, seed, breaks }: Flaps): Promise<void> {
  const { random } = loneWorld(seed).world;
  for (let second = 0; second < seconds; second++) {
    const [from, to] = anyLink(hosts, random);
    if (breaks) await from.exec(["ss", "-K", "dst", to.ip]);
    await filter(from, to, "-A");
    await must(["sleep", "1"]);
    await filter(from, to, "-D");
  }
}

function anyLink(hosts: readonly Host[], random: Random): readonly [Host, Host] {
  const at = randomBelow(random, hosts.length);
  return [hosts[at]!, hosts[(at + 1) % hosts.length]!];
}

/** Adds or deletes rules that let nothing pass between two hosts. */
function filter(from: Host, to: Host, action: "-A" | "-D"): Promise<string> {
  const rules = [`INPUT -s ${to.ip}`, `OUTPUT -d ${to.ip}`].map(
    (rule) => `${action} ${rule} -j DROP`,
  );
  const stdin = ["*filter", ...rules, "COMMIT", ""].join("\n");
  const restore = ["iptables-restore", "--noflush"];
  return must(["nsenter", `--net=/run/netns/${from.namespace}`, ...restore], { stdin });
}

async function floods({ hosts }: Lab): Promise<{ flooded: number; relayed: number }> {
  let [flooded, relayed] = [0, 0];
  for (const host of hosts) {
    const { stdout } = await host.exec(["curl", "-sf", "-m", "5", "http://127.0.0.1:6782/metrics"]);
    flooded += counted(stdout, "flooded");
    relayed += counted(stdout, "relayed");
  }
  return { flooded, relayed };
}

function counted(metrics: string, what: string): number {
  return Number(new RegExp(`^weave_fastdp_${what}_frames_total (\\d+)`, "m").exec(metrics)?.[1]);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "120" },
      seed: { type: "string", default: "1" },
      breaks: { type: "boolean", default: false },
    },
  });
  const { seconds, seed, breaks } = values;
  const flaps = { seconds: Number(seconds), seed: Number(seed), breaks };
  await using triangle = await Triangle.up("fs");
  console.log(JSON.stringify(await flap(triangle, flaps)));
}
