import { parseArgs } from "node:util";
import { type Random, randomBelow } from "../../lib/base/random.ts";
import { eventually } from "../hosts/shell.ts";
import { loneWorld } from "../sim/world.ts";
import { proxyOf } from "./docker-shell.ts";
import type { EngineName } from "./engine-files.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";

/**
 * Containers that are made through the proxy, killed, started, restarted and removed at random, while
 * the engine is killed and started again now and then, by a plan that a seed makes:
 *
 *   bun test/engines/churn.ts [--engine 20.10] [--seconds 60] [--seed 1]
 *
 * In the end the containers that run have to be those that are on the bridge, and those that exist and
 * run, or ended a short time ago, the only ones that have an address.
 */
export interface ChurnOptions {
  readonly engine: EngineName;
  /** It ends after so many deeds, or so many seconds. */
  readonly deeds: number;
  readonly seconds: number;
  readonly seed: number;
}

export interface ChurnOutcome {
  /** How often each was done. */
  readonly deeds: Readonly<Record<string, number>>;
  /** Containers that run in the end. */
  readonly running: number;
  /** Events that were found by looking. */
  readonly missed: number;
}

/** An address outlives its container for half a minute, and is looked for as often. */
const settleMaxMs = 90_000;

/** @throws Error when in the end something is attached that does not run, or the other way round */
export async function churn(prefix: string, options: ChurnOptions): Promise<ChurnOutcome> {
  await using lab = await EngineLab.start(prefix, { engine: options.engine });
  const { host } = lab;
  await host.launch();
  const crowd = new Crowd(host, loneWorld(options.seed).world.random);
  const endMs = performance.now() + options.seconds * 1000;
  for (let done = 0; done < options.deeds && performance.now() < endMs; done++) await crowd.act();
  const running = await settled(host);
  const metrics = await host.mustExec(["busybox", "wget", "-qO-", "http://127.0.0.1:6782/metrics"]);
  const missed = Number(/^weave_docker_missed_events_total (\d+)$/m.exec(metrics)?.[1]);
  return { deeds: crowd.done, running, missed };
}

/** The containers of an engine. */
class Crowd {
  readonly done: Record<string, number> = {};
  readonly #host: EngineHost;
  readonly #random: Random;
  readonly #names: string[] = [];
  #made = 0;

  constructor(host: EngineHost, random: Random) {
    this.#host = host;
    this.#random = random;
  }

  /** Something, to somebody. */
  async act(): Promise<void> {
    const lot = randomBelow(this.#random, 20);
    const name = this.#names[randomBelow(this.#random, Math.max(1, this.#names.length))];
    if (lot < 8 || name === undefined) await this.#make();
    else if (lot < 11) await this.#remove(name);
    else if (lot < 13) await this.#tell("kill", [name]);
    else if (lot < 15) await this.#tell("start", [name]);
    else if (lot < 18) await this.#tell("restart", ["-t", "0", name]);
    else await this.#crash();
  }

  async #make(): Promise<void> {
    const name = `c${++this.#made}`;
    this.#names.push(name);
    const policy = this.#made % 2 === 0 ? [] : ["--restart", "always"];
    await this.#tell("run", ["-d", "--name", name, ...policy, "bb", "sleep", "600"]);
  }

  async #remove(name: string): Promise<void> {
    this.#names.splice(this.#names.indexOf(name), 1);
    await this.#tell("rm", ["-f", name]);
  }

  async #crash(): Promise<void> {
    this.#count("crash");
    await this.#host.stopEngine("KILL");
    await this.#host.startEngine();
  }

  /** By the proxy; that it refuses to kill who does not run is no concern of ours. */
  async #tell(word: string, args: readonly string[]): Promise<void> {
    this.#count(word);
    const env = { DOCKER_HOST: proxyOf(this.#host) };
    const { code, stderr } = await this.#host.docker([word, ...args], { env });
    if (code !== 0 && word !== "kill")
      throw new Error(`docker ${word} ${args.join(" ")}: ${stderr}`);
  }

  #count(deed: string): void {
    this.done[deed] = (this.done[deed] ?? 0) + 1;
  }
}

/** Waits until addresses, interfaces and containers agree; gives how many there are. */
async function settled(host: EngineHost): Promise<number> {
  const lines = (text: string): number => text.split("\n").filter((line) => line !== "").length;
  const { running } = await eventually(
    "as many containers on the bridge, and with an address, as run",
    async () => ({
      running: lines(await host.mustDocker(["ps", "-q"])),
      attached: lines(await host.mustWeave(["ps"])) - 1,
      addresses: Number(await host.mustWeave(["report", "-f", "{{.IPAM.ActiveIPs}}"])),
    }),
    (found) => found.running === found.attached && found.running === found.addresses,
    settleMaxMs,
  );
  return running;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      engine: { type: "string", default: "20.10" },
      seconds: { type: "string", default: "60" },
      seed: { type: "string", default: "1" },
    },
  });
  const engine: EngineName = values.engine === "28" ? "28" : "20.10";
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  const { deeds, running, missed } = await churn("dchurn", {
    ...{ engine, seconds, seed, deeds: Number.POSITIVE_INFINITY },
  });
  const done = Object.entries(deeds).map(([deed, count]) => `${count} ${deed}`);
  console.log(`${done.join(", ")}: ${running} run and are attached, ${missed} events were missed`);
}
