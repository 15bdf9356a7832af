import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Container, Host } from "../hosts/lab.ts";
import { eventually, must } from "../hosts/shell.ts";

/** A router binary of the original (`weaver`), for tests beside it. */
export const referenceBinary = process.env.WEAVE_REFERENCE_ROUTER;

/** The same of an older release, which speaks the same protocol in its own way. */
export const olderReferenceBinary = process.env.WEAVE_REFERENCE_ROUTER_OLD;

export interface ReferenceOptions {
  readonly peers?: readonly string[];
  readonly password?: string;
  readonly flags?: readonly string[];
  /** Whether it may use openvswitch, on a kernel that has it; else all frames take sleeve. */
  readonly fastdp?: boolean;
  /** Changes to the environment that it runs in. */
  readonly env?: Readonly<Record<string, string>>;
  /** Another release than {@link referenceBinary}. */
  readonly binary?: string;
}

/**
 * A router of the original on one host of a lab. It looks at every process it can see, so it gets
 * process ids of its own; killing the first of them ends all.
 */
export class ReferenceRouter implements AsyncDisposable {
  readonly host: Host;
  readonly #folder: string;
  #holder: Bun.Subprocess | undefined;
  #fastdp = false;

  constructor(host: Host) {
    this.host = host;
    this.#folder = join(host.lab.folder, `reference${host.number}`);
    mkdirSync(this.#folder, { recursive: true });
    // An upstream that never answers: nothing leaves the lab.
    writeFileSync(join(this.#folder, "resolv.conf"), "nameserver 192.0.2.53\n");
  }

  async start(options: ReferenceOptions = {}): Promise<void> {
    const { peers = [], password, flags = [], fastdp = false } = options;
    const { binary = referenceBinary } = options;
    this.#fastdp = fastdp;
    if (binary === undefined) throw new Error("WEAVE_REFERENCE_ROUTER names no router");
    const router = [
      ...[binary, ...(fastdp ? ["--datapath", "datapath"] : ["--no-fastdp"])],
      ...["--weave-bridge", "weave", "--docker-api", ""],
      ...["--ipalloc-range", "10.32.0.0/12", "--http-addr", "127.0.0.1:6784"],
      ...["--db-prefix", join(this.#folder, "weave"), "--name", this.host.peerName],
      ...["--nickname", `host${this.host.number}`, "--dns-listen-address", "127.0.0.1:53"],
      ...["--resolv-conf", join(this.#folder, "resolv.conf"), ...flags, ...peers],
    ];
    const isolated = [
      ...["unshare", "--mount", "--propagation", "slave", "--pid", "--fork", "--mount-proc"],
      "--kill-child",
    ];
    this.#holder = Bun.spawn(
      ["nsenter", `--net=/run/netns/${this.host.namespace}`, ...isolated, ...router],
      {
        cwd: this.#folder,
        env: {
          ...process.env,
          CHECKPOINT_DISABLE: "1",
          ...options.env,
          ...(password === undefined ? {} : { WEAVE_PASSWORD: password }),
        },
        stdout: openSync(join(this.#folder, "log"), "a"),
        stderr: openSync(join(this.#folder, "log"), "a"),
      },
    );
    await eventually(
      `status of the original at ${this.host.namespace}`,
      async () => (await this.host.exec(curl("GET", "/status"))).code,
      (code) => code === 0,
    );
  }

  /** A request to its control API that must succeed. */
  async api(method: string, path: string, form: readonly string[] = []): Promise<string> {
    const data = form.flatMap((pair) => ["--data-urlencode", pair]);
    const { code, stdout, stderr } = await this.host.exec([...curl(method, path), ...data]);
    if (code !== 0) throw new Error(`${method} ${path}: ${stdout}${stderr}\n${this.log()}`);
    return stdout;
  }

  log(): string {
    return readFileSync(join(this.#folder, "log"), "utf8");
  }

  async established(count: number): Promise<string> {
    return eventually(
      `${count} established connections at the original`,
      () => this.api("GET", "/status/connections"),
      (text) => text.split("\n").filter((line) => / established /.test(line)).length >= count,
    );
  }

  /** A container with an address from the original, wired as `weave attach` wires it. */
  async container(suffix: string): Promise<{ container: Container; cidr: string }> {
    const container = await this.host.container(suffix);
    const cidr = await this.api("POST", `/ip/${container.namespace}`);
    const port = `vethwepl${suffix}`.slice(0, 15);
    const [bridge] = JSON.parse(
      await must(["ip", "-n", this.host.namespace, "-j", "link", "show", "weave"]),
    );
    const size = ["mtu", String(bridge.mtu)];
    const guest = ["peer", "name", "ethwe", ...size, "netns", container.namespace];
    const ip = ["ip", "-n", this.host.namespace, "link"];
    await must([...ip, "add", port, ...size, "type", "veth", ...guest]);
    if (!this.#fastdp) await must(container.command(["ethtool", "-K", "ethwe", "tx", "off"]));
    await must([...ip, "set", port, "master", "weave", "up"]);
    await must(["ip", "-n", container.namespace, "addr", "add", cidr, "dev", "ethwe"]);
    await must(["ip", "-n", container.namespace, "link", "set", "ethwe", "up"]);
    await must(["ip", "-n", container.namespace, "route", "add", "224.0.0.0/4", "dev", "ethwe"]);
    return { container, cidr };
  }

  /** Addresses that its name server gives for a name. */
  async lookup(name: string): Promise<string[]> {
    const command = ["dig", "+short", "+time=2", "+tries=1", "@127.0.0.1", name, "A"];
    const { stdout } = await this.host.exec(command);
    return stdout
      .trim()
      .split("\n")
      .filter((line) => line !== "");
  }

  /** Whether the process runs: it ends by itself only when it has crashed. */
  get running(): boolean {
    return this.#holder !== undefined && this.#holder.exitCode === null;
  }

  /** Ends the process; what it stored stays for the next start. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const holder = this.#holder;
    if (holder === undefined) return;
    this.#holder = undefined;
    if (holder.exitCode === null) {
      // `unshare` forks: its child is the router, the first process of its own process ids.
      const children = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8");
      for (const pid of children.trim().split(" ")) {
        if (pid !== "") process.kill(Number(pid), signal);
      }
      if (signal === "SIGKILL") holder.kill("SIGKILL");
      await holder.exited;
    }
    // With this file left behind, the next start would ignore the peers it is given.
    rmSync(join(this.#folder, "restart.sentinel"), { force: true });
  }

  /** Forgets what was stored. */
  wipe(): void {
    rmSync(join(this.#folder, "weavedata.db"), { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }
}

function curl(method: string, path: string): string[] {
  return ["curl", "-gsSf", "-m", "15", "-X", method, `http://127.0.0.1:6784${path}`];
}
