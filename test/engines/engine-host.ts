import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { weaveCommand } from "../hosts/lab.ts";
import { type Booted, Machine, type MachinePlace } from "../hosts/machine.ts";
import { eventually, type Outcome, type RunOptions, run } from "../hosts/shell.ts";
import { removeCgroups } from "./cgroups.ts";
import type { EngineName } from "./engine-files.ts";

export interface EngineHostParts extends MachinePlace {
  readonly engine: EngineName;
  /** The folder that the engine has as its root; `undefined` for the machine's. */
  readonly root: string | undefined;
  readonly engineArguments: readonly string[];
}

/** Within this, a command of a client ends or is ended: one that hangs ignores the first signal. */
const commandMaxS = 40;

/** A machine with a Docker engine and a router. */
export class EngineHost extends Machine {
  readonly engine: EngineName;
  readonly #parts: EngineHostParts;

  private constructor(parts: EngineHostParts, booted: Booted) {
    super(parts, booted, {
      WEAVE_RUN_DIR: join(parts.folder, "weave-run"),
      WEAVE_STATE_DIR: join(parts.folder, "weave-state"),
    });
    this.#parts = parts;
    this.engine = parts.engine;
  }

  /** A machine whose engine does not run yet. */
  static async boot(parts: EngineHostParts): Promise<EngineHost> {
    mkdirSync(parts.folder, { recursive: true });
    const script = join(import.meta.dir, "host-machine.sh");
    const args = [parts.folder, parts.root ?? ""];
    return new EngineHost(parts, await Machine.makeNamespaces(parts.namespace, script, args));
  }

  override exec(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return super.exec(command, { ...options, env: { DOCKER_HOST: "", ...options.env } });
  }

  /** A command where the engine sees files. */
  #engineCommand(command: readonly string[]): string[] {
    if (this.#parts.root === undefined) return [...command];
    const pid = readFileSync(this.outside(`${this.folder}/engine.pid`), "utf8").trim();
    const path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    return ["nsenter", "--target", pid, "--mount", "env", path, ...command];
  }

  /** The command of Docker's client of the engine's release, for whoever runs it differently. */
  dockerCommand(args: readonly string[]): string[] {
    return this.#engineCommand(["/usr/bin/docker", ...args]);
  }

  /** Runs Docker's client inside. It finds the engine without being told, unless `env` says so. */
  docker(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const bounded = ["timeout", "-k", "1", `${commandMaxS}`, ...this.dockerCommand(args)];
    return this.exec(bounded, { waitMs: (commandMaxS + 5) * 1000, ...options });
  }

  /** Gives what it printed, without the line end. @throws Error when it fails */
  async mustDocker(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.docker(args, options);
    if (code === 0) return stdout.trimEnd();
    throw new Error(`docker ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
  }

  weave(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return this.exec([...weaveCommand(), ...args], options);
  }

  /** Gives what it printed, without the line end. @throws Error with the router's log when it fails */
  async mustWeave(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.weave(args, options);
    if (code === 0) return stdout.trimEnd();
    const log = await this.weave(["logs"]);
    throw new Error(`weave ${args.join(" ")}: exit ${code}\n${stdout}${stderr}\n${log.stdout}`);
  }

  /** A peer name that tells the host's number. */
  get peerName(): string {
    return `00:00:00:00:00:${this.number.toString(16).padStart(2, "0")}`;
  }

  /**
   * Launches the router, by sleeve and not to be started again when it dies; `args` are more options
   * and peers.
   */
  launch(args: readonly string[] = [], options: RunOptions = {}): Promise<string> {
    const own = ["--name", this.peerName, "--nickname", `host${this.number}`];
    return this.mustWeave(["launch", ...own, "--no-fastdp", "--no-restart", ...args], options);
  }

  /** Ends the router as a crash does. */
  async killRouter(): Promise<void> {
    const file = join(this.env.WEAVE_RUN_DIR!, "weave.pid");
    await this.kill(Number(readFileSync(this.outside(file), "utf8").split(" ")[0]), "KILL");
  }

  /** Starts the engine, and waits until it answers. */
  async startEngine(): Promise<void> {
    const { folder, engineArguments, root } = this.#parts;
    const data = ["--data-root", `${folder}/docker`, "--exec-root", `${folder}/docker-run`];
    const own = ["--pidfile", `${folder}/dockerd.pid`, "--config-file", `${folder}/daemon.json`];
    const group = ["--cgroup-parent", this.cgroup, "--shutdown-timeout", "2"];
    await this.exec([
      "sh",
      "-c",
      `[ -e ${folder}/daemon.json ] || echo {} > ${folder}/daemon.json`,
    ]);
    const engine = this.#engineCommand(["dockerd", ...data, ...own, ...group, ...engineArguments]);
    const oldest: Record<string, string> =
      root === undefined ? {} : { DOCKER_MIN_API_VERSION: "1.44" };
    this.serve("dockerd", engine, oldest);
    await eventually(
      `the engine of host ${this.number}`,
      async () => ({
        ...(await this.docker(["version"])),
        log: this.said("dockerd"),
      }),
      ({ code }) => code === 0,
      30_000,
    );
  }

  /** @param signal `TERM` lets it end its containers, unless it keeps them alive; `KILL` is a crash */
  async stopEngine(signal: "TERM" | "KILL" = "TERM"): Promise<void> {
    const file = this.outside(`${this.folder}/dockerd.pid`);
    await this.kill(Number(readFileSync(file, "utf8")), signal, 30_000);
  }

  async restartEngine(): Promise<void> {
    await this.stopEngine();
    await this.startEngine();
  }

  async importImage(archive: string, name: string, changes: readonly string[]): Promise<void> {
    const words = changes.flatMap((change) => ["--change", change]);
    const client = this.command(this.dockerCommand(["import", ...words, "-", name]));
    // The archive is outside.
    const fed = ["sh", "-c", 'exec "$@" < "$0"', archive, ...client];
    const { code, stderr } = await run(fed, { env: { ...this.env, DOCKER_HOST: "" } });
    if (code !== 0) throw new Error(`cannot import ${name}: ${stderr}`);
  }

  /** The control group that containers belong in, as seen from the top of each hierarchy. */
  get cgroup(): string {
    return `/weave-engine-${this.#parts.namespace}`;
  }

  /** Control groups of the engine's plugins, which it puts at the top, whatever it is told. */
  #pluginCgroups(): string[] {
    const plugins = this.outside(`${this.folder}/docker/plugins`);
    if (!existsSync(plugins)) return [];
    return readdirSync(plugins).filter((name) => /^[0-9a-f]{64}$/.test(name));
  }

  override async end(): Promise<void> {
    const cgroups = [this.cgroup, ...this.#pluginCgroups()];
    await super.end();
    await Promise.all(cgroups.map(removeCgroups));
  }
}
