import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { eventually, must, type Outcome, type RunOptions, run } from "./shell.ts";

/**
 * Hosts and containers of one machine, each a network namespace, on real kernels:
 *
 *   [ host 1 ]── eth0 ──[ switch ]── eth0 ──[ host 2 ]      every host reaches every other, or
 *   [ host 1 ]── to2 ════ to1 ──[ host 2 ]── to3 ════ …     only its neighbours in a line
 *
 * Names begin with a prefix of the test's own. Everything is gone after disposal, also when the
 * test failed half-way.
 */
export class Lab implements AsyncDisposable {
  readonly prefix: string;
  readonly folder: string;
  readonly hosts: Host[] = [];
  readonly #namespaces: string[] = [];

  private constructor(prefix: string) {
    this.prefix = prefix;
    claimPrefix(prefix);
    this.folder = mkdtempSync(join(tmpdir(), `weave-${prefix}-`));
  }

  /** Hosts on one switch, at 192.168.77.1, .2, …; `net` says how else their addresses begin. */
  static async onSwitch(
    prefix: string,
    count: number,
    mtu = 1500,
    net = "192.168.77.",
  ): Promise<Lab> {
    const lab = await Lab.#empty(prefix);
    const hub = await lab.namespace("sw");
    await must(["ip", "-n", hub, "link", "add", "br0", "type", "bridge"]);
    await must(["ip", "-n", hub, "link", "set", "br0", "up"]);
    for (let number = 1; number <= count; number++) {
      await lab.#plug(await lab.#addHost(number, `${net}${number}`), hub, mtu);
    }
    return lab;
  }

  async #plug(host: Host, hub: string, mtu: number): Promise<void> {
    const port = `h${host.number}`;
    await this.#cable([host.namespace, "eth0"], [hub, port], mtu);
    await must(["ip", "-n", hub, "link", "set", port, "master", "br0"]);
    await host.address("eth0", `${host.ip}/24`);
  }

  /** Puts a new host in the place of one on a switch: the same address, and nothing else of it. */
  async replug(host: Host, mtu = 1500): Promise<void> {
    const hub = `${this.prefix}-sw`;
    await must(["ip", "-n", hub, "link", "del", `h${host.number}`]);
    await killInside(host.namespace);
    await must(["ip", "netns", "del", host.namespace]);
    await must(["ip", "netns", "add", host.namespace]);
    await must(["ip", "-n", host.namespace, "link", "set", "lo", "up"]);
    await this.#plug(host, hub, mtu);
  }

  /** Two hosts at 192.168.77.1 and .2, and a namespace `sw` in which their cables end: h1 and h2. */
  static async onCables(prefix: string): Promise<Lab> {
    const lab = await Lab.#empty(prefix);
    const hub = await lab.namespace("sw");
    for (const number of [1, 2]) {
      const host = await lab.#addHost(number, `192.168.77.${number}`);
      await lab.#cable([host.namespace, "eth0"], [hub, `h${number}`], 1500);
      await host.address("eth0", `${host.ip}/24`);
    }
    return lab;
  }

  /** Hosts in a line: number n at 192.168.n.1 towards the next and 192.168.(n-1).2 towards the last. */
  static async inLine(prefix: string, count: number, mtu = 1500): Promise<Lab> {
    const lab = await Lab.#empty(prefix);
    for (let number = 1; number <= count; number++) {
      await lab.#addHost(number, number === 1 ? "192.168.1.1" : `192.168.${number - 1}.2`);
    }
    for (let number = 1; number < count; number++) {
      const [left, right] = [lab.hosts[number - 1]!, lab.hosts[number]!];
      await lab.#cable([left.namespace, "next"], [right.namespace, "last"], mtu);
      await left.address("next", `192.168.${number}.1/24`);
      await right.address("last", `192.168.${number}.2/24`);
    }
    return lab;
  }

  static async #empty(prefix: string): Promise<Lab> {
    if (process.getuid?.() !== 0) {
      throw new Error("tests with hosts need root: run them as root, or in a privileged container");
    }
    const lab = new Lab(prefix);
    await lab.#sweep();
    return lab;
  }

  /** A new namespace with its loopback up; deleted with the lab. */
  async namespace(suffix: string): Promise<string> {
    const name = `${this.prefix}-${suffix}`;
    this.#namespaces.push(name);
    await must(["ip", "netns", "add", name]);
    await must(["ip", "-n", name, "link", "set", "lo", "up"]);
    return name;
  }

  async #addHost(number: number, ip: string): Promise<Host> {
    const host = new Host(this, number, await this.namespace(`h${number}`), ip);
    this.hosts.push(host);
    return host;
  }

  async #cable(a: [string, string], b: [string, string], mtu: number): Promise<void> {
    const size = ["mtu", String(mtu)];
    const peer = ["peer", "name", b[1], "netns", b[0]];
    await must(["ip", "-n", a[0], "link", "add", a[1], ...size, "type", "veth", ...peer]);
    for (const [namespace, device] of [a, b]) {
      await must(["ip", "-n", namespace, "link", "set", device, ...size, "up"]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.hosts) await host.weave(["stop"]).catch(() => undefined);
    for (const name of this.#namespaces.reverse()) await killInside(name);
    await this.#sweep();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Removes what a run of the same name left when it was killed. */
  async #sweep(): Promise<void> {
    const listed = (await must(["ip", "netns", "list"]))
      .split("\n")
      .map((line) => line.split(" ")[0]!);
    for (const name of listed.filter((each) => each.startsWith(`${this.prefix}-`))) {
      await killInside(name);
      await must(["ip", "netns", "del", name]);
    }
  }
}

const claimed = new Set<string>();

/**
 * For as long as this process lives, so that of several tests at a time none sweeps away what
 * another one has. The address is gone with the process, whatever ends it.
 */
function claimPrefix(prefix: string): void {
  if (claimed.has(prefix)) return;
  try {
    Bun.listen({ unix: `\0weave-lab-${prefix}`, socket: { data() {} } }).unref();
    claimed.add(prefix);
  } catch (cause) {
    throw new Error(`another process has a lab whose names begin with ${prefix}-`, { cause });
  }
}

/** Ends all processes of a namespace: a namespace lives as long as one of them. */
async function killInside(namespace: string): Promise<void> {
  const pids = (await run(["ip", "netns", "pids", namespace])).stdout.trim().split("\n");
  for (const pid of pids.filter((each) => each !== "")) {
    await run(["kill", "-9", pid]);
  }
}

const checkout = resolve(import.meta.dir, "../..");

/** The program under test: the checkout's, or the executable that `WEAVE_BINARY` names. */
export function weaveCommand(): readonly string[] {
  const binary = process.env.WEAVE_BINARY;
  return binary === undefined ? [process.execPath, join(checkout, "cmd/weave.ts")] : [binary];
}

/** One host with a router of its own. */
export class Host {
  readonly lab: Lab;
  readonly number: number;
  readonly namespace: string;
  readonly ip: string;
  readonly env: Record<string, string>;
  /** Whether its router may use a datapath of the kernel; else all frames take sleeve. */
  fastdp = false;
  /** Whether its router is started again when it dies; else a test may kill it and look. */
  restarts = false;

  constructor(lab: Lab, number: number, namespace: string, ip: string) {
    this.lab = lab;
    this.number = number;
    this.namespace = namespace;
    this.ip = ip;
    const folder = join(lab.folder, `h${number}`);
    this.env = {
      WEAVE_RUN_DIR: join(folder, "run"),
      WEAVE_STATE_DIR: join(folder, "state"),
      // The machine's own engine is none of its.
      DOCKER_HOST: `unix://${join(folder, "docker.sock")}`,
    };
  }

  /** A peer name that tells the host's number. */
  get peerName(): string {
    return `00:00:00:00:00:${this.number.toString(16).padStart(2, "0")}`;
  }

  async address(device: string, cidr: string): Promise<void> {
    await must(["ip", "-n", this.namespace, "addr", "add", cidr, "dev", device]);
  }

  /** Runs a program in the host's namespace. */
  exec(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(["nsenter", `--net=/run/netns/${this.namespace}`, ...command], options);
  }

  weave(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return this.exec([...weaveCommand(), ...args], {
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** Runs a `weave` command that must succeed; gives what it printed, without the line end. */
  async mustWeave(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const outcome = await this.weave(args, options);
    if (outcome.code !== 0) {
      const log = await this.weave(["logs"]);
      throw new Error(
        `weave ${args.join(" ")}: exit ${outcome.code}\n${outcome.stdout}${outcome.stderr}\n${log.stdout}`,
      );
    }
    return outcome.stdout.trimEnd();
  }

  /** Launches the router under the host's own peer name; `args` are more options and peers. */
  launch(args: readonly string[] = [], options: RunOptions = {}): Promise<string> {
    const own = ["--name", this.peerName, "--nickname", `host${this.number}`];
    if (!this.fastdp) own.push("--no-fastdp");
    if (!this.restarts) own.push("--no-restart");
    return this.mustWeave(["launch", ...own, ...args], options);
  }

  /** Waits until `weave status connections` has so many established lines. */
  async established(count: number, waitMs = 15_000): Promise<string> {
    return eventually(
      `${count} established connections at ${this.namespace}`,
      async () => (await this.weave(["status", "connections"])).stdout,
      (text) => text.split("\n").filter((line) => / established /.test(line)).length >= count,
      waitMs,
    );
  }

  /** Waits until the routes to all other peers are there: packets can flow. */
  async reaches(peers: number, waitMs = 15_000): Promise<void> {
    await eventually(
      `routes to ${peers} peers at ${this.namespace}`,
      async () =>
        (await this.weave(["report", "-f", "{{len .Router.UnicastRoutes}}"])).stdout.trim(),
      (text) => text === String(peers + 1),
      waitMs,
    );
  }

  /** A container: a namespace that only the overlay reaches. */
  async container(suffix: string): Promise<Container> {
    return new Container(await this.lab.namespace(suffix));
  }

  /** Process id of the router. */
  async routerPid(): Promise<number> {
    return Number(
      (await Bun.file(join(this.env.WEAVE_RUN_DIR!, "weave.pid")).text()).split(" ")[0],
    );
  }
}

export class Container {
  readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  /** As `weave` is told of it. */
  get reference(): string {
    return `netns:${this.namespace}`;
  }

  command(command: readonly string[]): string[] {
    return ["nsenter", `--net=/run/netns/${this.namespace}`, ...command];
  }

  exec(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(this.command(command), options);
  }

  /** Pings until an answer comes; the first packets may meet addresses being resolved. */
  async pings(address: string, waitMs = 10_000): Promise<void> {
    await eventually(
      `ping from ${this.namespace} to ${address}`,
      () => this.exec(["ping", "-c", "1", "-W", "1", address]),
      ({ code }) => code === 0,
      waitMs,
    );
  }
}
