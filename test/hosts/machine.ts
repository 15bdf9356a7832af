import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, type Outcome, type RunOptions, run } from "./shell.ts";

export interface MachinePlace {
  readonly number: number;
  /** Its network namespace. */
  readonly namespace: string;
  readonly ip: string;
  /** Its files: seen under this name inside; from outside by {@link Machine.outside}. */
  readonly folder: string;
}

/** A machine's first process. */
export interface Booted {
  /** What was started: it ends with the first process, and the other way round. */
  readonly holder: Bun.Subprocess;
  /** The first process, as numbered outside. */
  readonly first: number;
}

/**
 * A machine made of namespaces: a network namespace that is there already, and mounts, processes and
 * a host name of its own. It is gone with its first process, and everything in it: processes, containers, mounts.
 */
export class Machine {
  readonly number: number;
  readonly ip: string;
  readonly folder: string;
  readonly namespace: string;
  /** What commands inside are told, above all where they keep what. */
  readonly env: Readonly<Record<string, string>>;
  readonly #booted: Booted;

  protected constructor(place: MachinePlace, booted: Booted, env: Record<string, string>) {
    this.number = place.number;
    this.ip = place.ip;
    this.folder = place.folder;
    this.namespace = place.namespace;
    this.env = { HOME: join(place.folder, "home"), ...env };
    this.#booted = booted;
  }

  /**
   * Makes the namespaces; their first process is a shell that runs `script` with `args`, says a word
   * when all is in place, and waits for its end.
   */
  protected static async makeNamespaces(
    namespace: string,
    script: string,
    args: readonly string[],
  ): Promise<Booted> {
    const holder = Bun.spawn(
      [
        // It does not outlive whoever made it, however that ends.
        ...["setpriv", "--pdeathsig", "KILL", "nsenter", `--net=/run/netns/${namespace}`],
        ...["unshare", "--mount", "--propagation", "slave", "--uts", "--pid"],
        ...["--mount-proc", "--fork", "--kill-child", "sh", script, ...args],
      ],
      { stdout: "pipe", stderr: "inherit", stdin: "ignore" },
    );
    const said = await holder.stdout.getReader().read();
    const children = `/proc/${holder.pid}/task/${holder.pid}/children`;
    if (said.done) throw new Error(`no namespaces for the machine ${namespace} can be made`);
    return { holder, first: Number(readFileSync(children, "utf8").trim()) };
  }

  /** Where a file of the machine's is found from outside. */
  outside(path: string): string {
    return `/proc/${this.#booted.first}/root${path}`;
  }

  /** A command that runs inside. Process ids mean nothing outside, and the other way round. */
  command(command: readonly string[]): string[] {
    const first = `${this.#booted.first}`;
    return ["nsenter", "--target", first, "--mount", "--net", "--uts", "--pid", ...command];
  }

  exec(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(this.command(command), { ...options, env: { ...this.env, ...options.env } });
  }

  /** Gives what it printed, without the line end. @throws Error when it fails */
  async mustExec(command: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.exec(command, options);
    if (code === 0) return stdout.trimEnd();
    throw new Error(`${command.join(" ")}: exit ${code}\n${stdout}${stderr}`);
  }

  /** Starts a program that goes on until it is killed; what it says goes to a file of that name. */
  serve(name: string, command: readonly string[], env: Record<string, string> = {}): void {
    const log = openSync(this.outside(this.#log(name)), "a");
    Bun.spawn(this.command(["setsid", ...command]), {
      ...{ stdin: "ignore", stdout: log, stderr: log },
      env: { ...process.env, ...this.env, ...env },
    }).unref();
    closeSync(log);
  }

  /** The last that a served program said. */
  said(name: string): string {
    return readFileSync(this.outside(this.#log(name)), "utf8").slice(-2000);
  }

  #log(name: string): string {
    return join(this.folder, `${name}.log`);
  }

  /** Signals a process by its id inside; waits for its end. */
  async kill(pid: number, signal: "TERM" | "KILL", waitMs = 20_000): Promise<void> {
    await this.exec(["kill", `-${signal}`, `${pid}`]);
    await eventually(
      `the end of process ${pid} of host ${this.number}`,
      () => this.exec(["sh", "-c", `cat /proc/${pid}/task/*/stat`]),
      ({ stdout }) => !/\) [^ZX] /.test(stdout),
      waitMs,
    );
  }

  /** Ends the machine and everything in it. */
  async end(): Promise<void> {
    this.#booted.holder.kill("SIGKILL");
    await this.#booted.holder.exited;
  }
}
