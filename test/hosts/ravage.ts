import { parseArgs } from "node:util";
import { loneWorld } from "../sim/world.ts";
import { ravage } from "./deeds.ts";
import { type Attached, containerOn, overFor } from "./fastdp-lab.ts";
import { hostState, stateDifference } from "./host-state.ts";
import { type Host, Lab } from "./lab.ts";
import { must, run } from "./shell.ts";

/**
 * Hosts with containers, exposed addresses, names and a filtered FORWARD chain, of which somebody
 * deletes and changes whatever there is, by a plan that a seed makes:
 *
 *   bun run build && WEAVE_BINARY=dist/weave bun test/hosts/ravage.ts [--seconds 600] [--seed 1]
 *
 * Half of the time with a datapath of the kernel, half with frames captured. After each step of one
 * to three deeds `weave doctor` has to find nothing on any host, packets of full size to get from
 * every container to every other and from every host to every container, names to be found, and the
 * state of each host to be what it was. It ends with the longest and the median time until all of
 * that was so, and fails when a step took longer than ten seconds.
 */
export interface RavageOptions {
  readonly hosts: number;
  /** It ends after so many steps, or so many seconds. */
  readonly steps: number;
  readonly seconds: number;
  readonly seed: number;
  readonly fastdp: boolean;
  /** How long a host may take to repair itself before that counts as a failure, in seconds. */
  readonly repairMaxSeconds: number;
  readonly tell?: (line: string) => void;
}

export interface Repair {
  readonly deeds: readonly string[];
  readonly seconds: number;
}

/** @throws Error when something is not repaired */
export async function ravageHosts(prefix: string, options: RavageOptions): Promise<Repair[]> {
  const { steps, seconds, seed, fastdp, repairMaxSeconds, tell } = options;
  const { random } = loneWorld(seed).world;
  await using lab = await Lab.onSwitch(prefix, options.hosts);
  const site = await Site.build(lab, fastdp);
  const endMs = performance.now() + seconds * 1000;
  const repairs: Repair[] = [];
  while (repairs.length < steps && performance.now() < endMs) {
    const deeds = await ravage(lab.hosts, random);
    if (deeds.length === 0) continue;
    const startMs = performance.now();
    await site.isWhole(repairMaxSeconds, deeds);
    const repair = { deeds, seconds: (performance.now() - startMs) / 1000 };
    tell?.(`${repair.seconds.toFixed(1)} s: ${deeds.join("; ")}`);
    repairs.push(repair);
  }
  return repairs;
}

/** The hosts as they are to be. */
class Site {
  readonly #hosts: readonly Host[];
  readonly #ends: readonly Attached[];
  readonly #states: readonly (readonly string[])[];

  private constructor(
    hosts: readonly Host[],
    ends: readonly Attached[],
    states: readonly (readonly string[])[],
  ) {
    this.#hosts = hosts;
    this.#ends = ends;
    this.#states = states;
  }

  static async build(lab: Lab, fastdp: boolean): Promise<Site> {
    const [first, ...others] = lab.hosts as [Host, ...Host[]];
    const ends: Attached[] = [];
    for (const host of lab.hosts) {
      // As Docker does.
      await must(inHost(host, "iptables", "-P", "FORWARD", "DROP"));
      host.fastdp = fastdp;
      host.restarts = true;
      await host.launch(host === first ? [] : [first.ip]);
    }
    for (const host of lab.hosts) {
      await (fastdp ? overFor(host, "fastdp", others.length, 60_000) : host.reaches(others.length));
      await host.mustWeave(["expose"]);
      for (const letter of "ab") {
        const end = await containerOn(host, `${letter}${host.number}`);
        await host.mustWeave(["dns-add", end.container.reference, "-h", `${letter}.weave.local`]);
        ends.push(end);
      }
    }
    const bare = new Site(lab.hosts, ends, []);
    await bare.isWhole(60, []);
    return new Site(lab.hosts, ends, await Promise.all(lab.hosts.map(repeatable)));
  }

  /** Waits until everything is as it was. @throws Error with what is not */
  async isWhole(maxSeconds: number, deeds: readonly string[]): Promise<void> {
    const deadlineMs = performance.now() + maxSeconds * 1000;
    for (;;) {
      const faults = await this.#faults();
      if (faults.length === 0) return;
      if (performance.now() < deadlineMs) continue;
      const logs = await Promise.all(this.#hosts.map((host) => host.weave(["logs"])));
      const said = logs.map(({ stdout }) => stdout.split("\n").slice(-15).join("\n"));
      throw new Error(
        [`after ${maxSeconds} s:`, ...faults, "of", ...deeds, "logs:", ...said].join("\n"),
      );
    }
  }

  /** The cheap questions first: as long as those have bad answers, the others wait. */
  async #faults(): Promise<string[]> {
    for (const ask of [() => this.#silent(), () => this.#complaints(), () => this.#changes()]) {
      const faults = await ask();
      if (faults.length > 0) return faults;
    }
    return [];
  }

  async #silent(): Promise<string[]> {
    const addresses = this.#ends.map(({ ip }) => ip.replace(/\/\d+$/, ""));
    const places = [
      ...this.#ends.map(({ container: { namespace } }) => namespace),
      ...this.#hosts.map(({ namespace }) => namespace),
    ];
    // Smaller than the overlay's MTU of either kind, larger than anything that must be divided.
    const ping = (address: string) =>
      `ping -q -n -c 1 -W 1 -s 1300 ${address} >/dev/null || echo ${address}`;
    const faults = places.map(async (place) => {
      const line = addresses.map((address) => `(${ping(address)}) &`).join("\n");
      const { stdout } = await run([
        "nsenter",
        `--net=/run/netns/${place}`,
        "sh",
        "-c",
        `${line}\nwait`,
      ]);
      return stdout
        .split("\n")
        .flatMap((to) => (to === "" ? [] : [`no ping from ${place} to ${to}`]));
    });
    return (await Promise.all(faults)).flat();
  }

  async #complaints(): Promise<string[]> {
    const faults = this.#hosts.map(async (host) => {
      const { code, stdout, stderr } = await host.weave(["doctor"]);
      if (code !== 0) return [`doctor at ${host.namespace}: ${stdout}${stderr}`];
      const name = await host.weave(["dns-lookup", "a"]);
      const found = name.stdout.trim().split("\n").length;
      return found === this.#hosts.length ? [] : [`${host.namespace} finds ${found} names`];
    });
    return (await Promise.all(faults)).flat();
  }

  async #changes(): Promise<string[]> {
    const faults = this.#states.map(async (before, at) => {
      const host = this.#hosts[at]!;
      const changes = stateDifference(before, await repeatable(host));
      return changes.map((line) => `${host.namespace}: ${line}`);
    });
    return (await Promise.all(faults)).flat();
  }
}

/**
 * The state of a host without what is another one each time a device is made, and without the IPv6
 * that kernels give each device by themselves.
 */
async function repeatable(host: Host): Promise<string[]> {
  const lines = await hostState(host);
  const lasting = lines.filter(
    (line) =>
      !/^(socket|file|process|route of IPv6|nftables|ip6?tables):/.test(line) &&
      !/^sysctl: net.ipv[46].(conf|neigh).(all|default)/.test(line) &&
      !/^route: .*"(fe80|ff00):/.test(line),
  );
  const made = lasting.map((line) =>
    line
      .replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, "MAC")
      .replace(/,?\{"family":"inet6"[^}]*\}/g, "")
      .replace(/"port":\d{5}/g, '"port":"any"')
      .replace(/"id":"0x\w+","no":"0x\w+"/g, '"no":"any"'),
  );
  return [...made.sort(), ...(await ownRules(host))];
}

/** Of the packet filters only what is ours: the deeds are others' rules as well. */
async function ownRules(host: Host): Promise<string[]> {
  const ask = "nft list table ip weave; iptables -S FORWARD 1; iptables -S WEAVE-FORWARD";
  const { stdout } = await host.exec(["sh", "-c", ask]);
  return stdout.split("\n");
}

function inHost(host: Host, ...words: readonly string[]): string[] {
  return ["nsenter", `--net=/run/netns/${host.namespace}`, ...words];
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "600" },
      seed: { type: "string", default: "1" },
      hosts: { type: "string", default: "3" },
      "repair-seconds": { type: "string", default: "10" },
    },
  });
  const seed = Number(values.seed);
  const repairs: Repair[] = [];
  for (const fastdp of [true, false]) {
    console.log(`seed ${seed}, ${fastdp ? "with a datapath" : "frames captured"}`);
    repairs.push(
      ...(await ravageHosts("rv", {
        hosts: Number(values.hosts),
        steps: Number.POSITIVE_INFINITY,
        seconds: Number(values.seconds) / 2,
        repairMaxSeconds: Number(values["repair-seconds"]),
        ...{ seed, fastdp, tell: (line: string) => console.log(line) },
      })),
    );
  }
  const times = repairs.map(({ seconds }) => seconds);
  const deeds = repairs.reduce((count, repair) => count + repair.deeds.length, 0);
  console.log(
    `seed ${seed}: ${repairs.length} steps with ${deeds} deeds, repaired within ${Math.max(...times).toFixed(1)} s, median ${median(times).toFixed(1)} s`,
  );
}
