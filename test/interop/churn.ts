import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { randomBelow, seededRandom } from "../../lib/base/random.ts";
import { type Host, Lab } from "../hosts/lab.ts";
import { eventually, killed, must } from "../hosts/shell.ts";
import { ReferenceRouter, referenceBinary } from "./reference-router.ts";

/**
 * A mixed cluster that is not left alone: two routers of the original and two of ours, restarted,
 * killed, cut off, removed and asked for addresses and names at random, from one seed:
 *
 *   WEAVE_REFERENCE_ROUTER=/path/to/weaver bun test/interop/churn.ts [--minutes 60] [--seed 1]
 *       [--reclaim-after <duration>]
 *
 * With `--reclaim-after`, every second start of one of ours has that option, and the others have it
 * off: in a mixed cluster that must make no difference.
 *
 * It fails when a router ends by itself, when a link is closed because of an address or a name, when
 * two routers hold one address, or when they do not agree in the end.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    "reclaim-after": { type: "string" },
  },
});

interface Member {
  readonly host: Host;
  readonly ours: boolean;
  start(): Promise<void>;
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Forgets what was stored. */
  wipe(): Promise<void>;
  crashed(): Promise<boolean>;
  log(): Promise<string>;
  isUp: boolean;
  readonly names: Map<string, string>;
}

const started = performance.now();
const say = (line: string): void => {
  console.log(`${((performance.now() - started) / 60_000).toFixed(1)} min ${line}`);
};

class Churn {
  readonly #random = seededRandom(Number(values.seed));
  readonly #lab: Lab;
  readonly #members: Member[];
  #requests = 0;
  #steps = 0;
  /** Addresses given out: member, ident. */
  readonly #held: { member: Member; ident: string }[] = [];

  constructor(lab: Lab) {
    this.#lab = lab;
    const peers = lab.hosts.map(({ ip }) => ip);
    const flags = ["--ipalloc-init", "consensus=4"];
    this.#members = lab.hosts.map((host, index) => {
      const others = peers.filter((ip) => ip !== host.ip);
      return index < 2 ? original(host, flags, others) : ours(host, flags, others);
    });
  }

  async run(): Promise<void> {
    for (const member of this.#members) await member.start();
    await this.#settled();
    const untilMs = performance.now() + Number(values.minutes) * 60_000;
    while (performance.now() < untilMs) {
      await this.#step();
      await this.#check();
      await must(["sleep", "0.5"]);
    }
    await this.#agreeInTheEnd();
    say(`${this.#steps} steps, ${this.#requests} requests: agreed in the end`);
  }

  async #step(): Promise<void> {
    this.#steps++;
    // Mostly requests, now and then a fault.
    if (randomBelow(this.#random, 12) !== 0) return this.#request();
    const faults = [
      () => this.#restart("SIGTERM"),
      () => this.#restart("SIGKILL"),
      () => this.#cutOff(),
      () => this.#removePeer(),
    ];
    await faults[randomBelow(this.#random, faults.length)]!();
  }

  async #request(): Promise<void> {
    const requests = [
      () => this.#allocate(),
      () => this.#allocate(),
      () => this.#allocate(),
      () => this.#free(),
      () => this.#free(),
      () => this.#addName(),
      () => this.#addName(),
      () => this.#removeName(),
    ];
    await requests[randomBelow(this.#random, requests.length)]!();
  }

  #any(): Member {
    const up = this.#members.filter((member) => member.isUp);
    return up[randomBelow(this.#random, up.length)]!;
  }

  /** A request to a control API, which both kinds serve alike; `undefined` when it is refused. */
  async #api(member: Member, method: string, path: string): Promise<string | undefined> {
    const url = `http://127.0.0.1:6784${path}`;
    const { code, stdout } = await member.host.exec(["curl", "-sf", "-m", "5", "-X", method, url]);
    return code === 0 ? stdout : undefined;
  }

  async #allocate(): Promise<void> {
    const member = this.#any();
    const ident = `c${this.#requests++}`;
    const got = await this.#api(member, "POST", `/ip/${ident}`);
    if (got !== undefined && got !== "cancelled") this.#held.push({ member, ident });
  }

  async #free(): Promise<void> {
    const at = randomBelow(this.#random, Math.max(1, this.#held.length));
    const [held] = this.#held.splice(at, 1);
    if (held?.member.isUp) await this.#api(held.member, "DELETE", `/ip/${held.ident}`);
  }

  async #addName(): Promise<void> {
    const member = this.#any();
    const name = `n${randomBelow(this.#random, 40)}.weave.local`;
    if (member.names.has(name)) return;
    const number = this.#requests++;
    const address = `10.46.${(number >> 8) & 255}.${number & 255}`;
    const path = `/name/weave:extern/${address}?fqdn=${name}`;
    if ((await this.#api(member, "PUT", path)) !== undefined) member.names.set(name, address);
  }

  async #removeName(): Promise<void> {
    const member = this.#any();
    const [entry] = member.names;
    if (entry === undefined) return;
    const path = `/name/weave:extern/${entry[1]}?fqdn=${entry[0]}`;
    if ((await this.#api(member, "DELETE", path)) !== undefined) member.names.delete(entry[0]);
  }

  async #restart(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const member = this.#any();
    say(`${signal} for ${label(member)}`);
    await this.#down(member, signal);
    await this.#up(member);
  }

  async #down(member: Member, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    member.isUp = false;
    await member.stop(signal);
    // The original forgets names given by its API; ours keeps them.
    if (!member.ours) member.names.clear();
  }

  async #up(member: Member): Promise<void> {
    await member.start();
    member.isUp = true;
  }

  /** Its packets go nowhere for a while, without any error. */
  async #cutOff(): Promise<void> {
    const member = this.#any();
    const seconds = 5 + randomBelow(this.#random, 100);
    say(`cut off ${label(member)} for ${seconds} s`);
    const port = ["ip", "-n", `${this.#lab.prefix}-sw`, "link", "set", `h${member.host.number}`];
    await must([...port, "nomaster"]);
    const healAt = performance.now() + seconds * 1000;
    while (performance.now() < healAt) {
      await this.#request();
      await must(["sleep", "1"]);
    }
    await must([...port, "master", "br0"]);
  }

  /** A dead peer's ranges are taken over; it comes back as a new member. */
  async #removePeer(): Promise<void> {
    await this.#settled();
    const member = this.#any();
    say(`rmpeer ${label(member)}`);
    await this.#down(member, "SIGKILL");
    const gone = member.host.peerName;
    const by = this.#any();
    await eventually(
      `${gone} is unreachable at ${label(by)}`,
      async () => (await this.#api(by, "GET", "/status/ipam")) ?? "",
      // Whoever came back and never asked for an address since has no line at all.
      (text) =>
        text.split("\n").every((line) => !line.startsWith(gone) || line.includes("unreach")),
      120_000,
    );
    const answer = await this.#api(by, "DELETE", `/peer/${gone}`);
    say(`  ${answer?.trim()}`);
    await this.#settled();
    await member.wipe();
    member.names.clear();
    for (let at = this.#held.length - 1; at >= 0; at--) {
      if (this.#held[at]!.member === member) this.#held.splice(at, 1);
    }
    await this.#up(member);
    await this.#settled();
  }

  /** What may never happen. */
  async #check(): Promise<void> {
    for (const member of this.#members.filter(({ isUp }) => isUp)) {
      if (await member.crashed()) {
        throw new Error(`${label(member)} ended by itself:\n${(await member.log()).slice(-4000)}`);
      }
    }
    const holders = new Map<string, string>();
    for (const member of this.#members.filter(({ isUp }) => isUp)) {
      const list = await this.#api(member, "GET", "/ip");
      if (list === undefined) continue;
      const { owned } = JSON.parse(list) as { owned: { addrs: string[] }[] | null };
      for (const address of (owned ?? []).flatMap(({ addrs }) => addrs)) {
        const other = holders.get(address);
        if (other !== undefined) throw new Error(`${address} at ${other} and ${label(member)}`);
        holders.set(address, label(member));
      }
    }
  }

  /** Every pair that is up is connected. */
  async #settled(): Promise<void> {
    const up = this.#members.filter(({ isUp }) => isUp);
    for (const member of up) {
      await eventually(
        `${up.length - 1} connections at ${label(member)}`,
        async () => (await this.#api(member, "GET", "/status/connections")) ?? "",
        (text) =>
          text.split("\n").filter((line) => / established /.test(line)).length >= up.length - 1,
        600_000,
      );
    }
  }

  async #agreeInTheEnd(): Promise<void> {
    await this.#settled();
    const names = this.#members
      .flatMap((member) => [...member.names].map(([name, ip]) => `${name} ${ip}`))
      .sort()
      .join("\n");
    for (const member of this.#members) {
      await eventually(
        `names at ${label(member)}`,
        async () => namesOf((await this.#api(member, "GET", "/status/dns")) ?? ""),
        (text) => text === names,
        120_000,
      );
    }
    const rings = new Set<string>();
    for (const member of this.#members) {
      rings.add(ringOf((await this.#api(member, "GET", "/status/ipam")) ?? ""));
    }
    if (rings.size !== 1) throw new Error(`different rings:\n${[...rings].join("\n--\n")}`);
    for (const member of this.#members) {
      const complaints = (await member.log())
        .split("\n")
        .filter((line) =>
          /panic|IP allocation|Incompatible|clock skew|which I think I own/.test(line),
        )
        .filter((line) => /shutting down|panic|fatal/i.test(line))
        // Our own guess at what a remote means that closes without a word.
        .filter((line) => !line.includes("right after the introduction"));
      if (complaints.length > 0) {
        throw new Error(`${label(member)} complains:\n${complaints.join("\n")}`);
      }
    }
  }
}

function label(member: Member): string {
  return `${member.ours ? "ours" : "original"} ${member.host.number}`;
}

/** `name address`, without the domain, sorted. */
function namesOf(status: string): string {
  return status
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/))
    .map(([name, address]) => `${name}.weave.local ${address}`)
    .sort()
    .join("\n");
}

/** Who owns how much, the same at every member. */
function ringOf(status: string): string {
  return status
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/).slice(0, 2).join(" "))
    .sort()
    .join("\n");
}

function original(host: Host, flags: readonly string[], peers: readonly string[]): Member {
  const router = new ReferenceRouter(host);
  return {
    host,
    ours: false,
    start: () => router.start({ flags, peers }),
    stop: (signal) => router.stop(signal),
    wipe: async () => {
      router.wipe();
      await must(["ip", "-n", host.namespace, "link", "del", "weave"]);
    },
    crashed: async () => !router.running,
    log: async () => router.log(),
    isUp: true,
    names: new Map(),
  };
}

function ours(host: Host, flags: readonly string[], peers: readonly string[]): Member {
  let pid = 0;
  let starts = host.number;
  const reclaim = (): string[] => {
    const after = values["reclaim-after"];
    if (after === undefined) return [];
    return ["--reclaim-after", starts++ % 2 === 0 ? "never" : after];
  };
  return {
    host,
    ours: true,
    start: async () => {
      await host.launch([...flags, ...reclaim(), ...peers]);
      pid = await host.routerPid();
    },
    stop: async (signal) => {
      if (signal === "SIGTERM") await host.mustWeave(["stop"]);
      else await killed(pid);
    },
    wipe: async () => {
      await host.mustWeave(["reset", "--force"]);
    },
    crashed: async () => !existsSync(`/proc/${pid}`),
    log: () => Bun.file(join(host.env.WEAVE_RUN_DIR!, "weave.log")).text(),
    isUp: true,
    names: new Map(),
  };
}

if (referenceBinary === undefined) {
  console.log("set WEAVE_REFERENCE_ROUTER=/path/to/weaver: there is no original to run beside");
} else {
  await using lab = await Lab.onSwitch("wc", 4);
  await new Churn(lab).run();
}
