import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ShellBlock } from "../docs/page-blocks.ts";
import { Lab } from "./lab.ts";
import { type Booted, Machine, type MachinePlace } from "./machine.ts";
import { eventually, type Outcome } from "./shell.ts";
import { weaveOnPath } from "./weave-on-path.ts";

/** What came of a block. */
export interface Typed {
  readonly succeeded: boolean;
  /** By all its hosts, errors included. */
  readonly printed: string;
}

/**
 * Hosts as pages call them, on which their commands are typed letter by letter:
 *
 *   host1 192.168.48.11 ── switch ── host2 192.168.48.12, host3 192.168.48.13
 *
 * Each has files, processes, namespaces and a host name of its own, `weave` on its PATH, no Docker, and a
 * folder EXCHANGE that all of them see, for what a reader brings from one to the other.
 */
export class PageLab implements AsyncDisposable {
  readonly #lab: Lab;
  readonly #hosts: PageHost[] = [];

  private constructor(lab: Lab) {
    this.#lab = lab;
  }

  static async start(prefix: string): Promise<PageLab> {
    return new PageLab(await Lab.onSwitch(prefix, 3, 1500, "192.168.48.1"));
  }

  /** Gives the page hosts that nobody has used: those of these names. */
  async turnTo(page: string, names: ReadonlySet<string>): Promise<void> {
    await this.#endAll();
    for (const host of this.#lab.hosts.filter(({ number }) => names.has(`host${number}`))) {
      await this.#lab.replug(host);
      const { number, namespace, ip } = host;
      const folder = join(this.#lab.folder, page, `host${number}`);
      this.#hosts.push(await PageHost.boot({ number, namespace, ip, folder }));
    }
  }

  /** Types the commands of a block on each of its hosts, as far as they succeed. */
  async type({ hosts, script }: ShellBlock): Promise<Typed> {
    let printed = "";
    for (const name of hosts) {
      const host = this.#hosts.find((each) => each.name === name);
      if (host === undefined) throw new Error(`there is no ${name}`);
      const { code, stdout } = await host.type(script, { EXCHANGE: this.#lab.folder });
      printed += stdout;
      if (code !== 0) return { succeeded: false, printed };
    }
    if (!mayBeTypedAgain(script)) await this.#isQuiet();
    return { succeeded: true, printed };
  }

  /** Nobody types so fast that hosts are not linked, or names not known, by the next line. */
  async #isQuiet(): Promise<void> {
    const running = this.#hosts.filter((host) => host.hasRouter);
    if (running.length < 2) return;
    await eventually(
      `the same names on ${running.length} routers that all have routes to each other`,
      () => Promise.all(running.map((host) => host.known())),
      (known) =>
        new Set(known).size <= 1 && known.every((each) => each.startsWith(`${running.length} `)),
      30_000,
    );
  }

  async #endAll(): Promise<void> {
    await Promise.all(this.#hosts.splice(0).map((host) => host.end()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endAll();
    await this.#lab[Symbol.asyncDispose]();
  }
}

/**
 * Whether the commands of a block change nothing, or nothing more when they are typed again, as a
 * reader does who has not yet seen what the page shows.
 */
export function mayBeTypedAgain(script: string): boolean {
  const harmless =
    /^(?:ip netns exec \w+ )?(?:ping|dig|getent|curl(?!.* -X )|grep|mkdir -p|printf|weave (?:status|ps|why|doctor|map|events|dns-lookup|report))\b/;
  return script.split("\n").every((line) => line === "" || harmless.test(line));
}

/** Where commands are typed: an empty folder. */
const folderOfPages = "/root/pages";

class PageHost extends Machine {
  readonly name: string;

  private constructor(place: MachinePlace, name: string, booted: Booted) {
    const path = `${join(place.folder, "bin")}:${process.env.PATH}`;
    super(place, booted, { HOME: "/root", PATH: path });
    this.name = name;
    weaveOnPath(this.outside(place.folder));
  }

  static async boot(place: MachinePlace): Promise<PageHost> {
    mkdirSync(place.folder, { recursive: true });
    const name = `host${place.number}`;
    const script = join(import.meta.dir, "page-host.sh");
    const args = [place.folder, name, `${place.number}`, folderOfPages];
    const booted = await Machine.makeNamespaces(place.namespace, script, args);
    return new PageHost(place, name, booted);
  }

  get hasRouter(): boolean {
    return existsSync(this.outside("/run/weave/control.sock"));
  }

  /** How many peers its router has routes to, itself included, and the names of the network. */
  async known(): Promise<string> {
    const names = "{{range .DNS.Entries}}{{.Hostname}}={{.Address}} {{end}}";
    const format = `{{len .Router.UnicastRoutes}} ${names}`;
    return (await this.exec(["weave", "report", "-f", format])).stdout;
  }

  /** What is printed, errors included, is in `stdout`. */
  type(script: string, env: Record<string, string>): Promise<Outcome> {
    const typed = `cd ${folderOfPages}; exec 2>&1; ${script}`;
    return this.exec(["bash", "-euo", "pipefail", "-c", typed], { env, waitMs: 60_000 });
  }
}
