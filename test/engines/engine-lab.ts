import { Lab } from "../hosts/lab.ts";
import { type EngineName, engineRoot } from "./engine-files.ts";
import { EngineHost } from "./engine-host.ts";
import { images, rootArchive } from "./images.ts";

export interface EngineLabOptions {
  /** The engine of all hosts, or of one after the other. */
  readonly engine: EngineName | readonly EngineName[];
  /** Default: one for each engine that is named. */
  readonly hosts?: number;
  /** More arguments for every engine, e.g. `--live-restore`. */
  readonly engineArguments?: readonly string[];
}

/**
 * Hosts with real Docker engines, side by side on one machine:
 *
 *   ┌ host 1: 192.168.77.1 ────────┐              each has a network, mount and process namespace,
 *   │ dockerd ── containers        │── switch ──  with /run, /var/run/docker.sock, sockets of plugins,
 *   │ weave                        │              $HOME and all data of its own, in memory
 *   └──────────────────────────────┘
 *
 * A host is gone with its first process, and everything in it: what a test started in it, however,
 * cannot outlive the lab, also when the test failed or was killed.
 */
export class EngineLab implements AsyncDisposable {
  readonly hosts: readonly EngineHost[];
  readonly #lab: Lab;

  private constructor(lab: Lab, hosts: readonly EngineHost[]) {
    this.#lab = lab;
    this.hosts = hosts;
  }

  /**
   * Starts all engines and gives them the images of `images.ts`.
   *
   * @param prefix of the lab's names, no other test's, of few letters
   * @throws Error saying what is missing on this machine
   */
  static async start(prefix: string, options: EngineLabOptions): Promise<EngineLab> {
    const { engine, engineArguments = [] } = options;
    const engines = typeof engine === "string" ? [engine] : engine;
    const count = options.hosts ?? engines.length;
    const roots = engines.map(engineRoot);
    const lab = await Lab.onSwitch(prefix, count);
    const started: EngineHost[] = [];
    const made = new EngineLab(lab, started);
    try {
      for (const [at, { namespace, ip, number }] of lab.hosts.entries()) {
        const place = { number, namespace, ip, folder: `${lab.folder}/host${number}` };
        const which = at % engines.length;
        const parts = { engine: engines[which]!, root: roots[which], engineArguments };
        started.push(await EngineHost.boot({ ...place, ...parts }));
      }
      await Promise.all(started.map((host) => host.startEngine()));
      const archive = await rootArchive(lab.folder);
      for (const host of started) {
        for (const [name, changes] of Object.entries(images)) {
          await host.importImage(archive, name, changes);
        }
      }
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The only host of a lab that has one. */
  get host(): EngineHost {
    return this.hosts[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.end()));
    await this.#lab[Symbol.asyncDispose]();
  }
}
