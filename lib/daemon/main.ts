import { closeSync, writeSync } from "node:fs";
import type { Page } from "../api/page-app.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import type { Log } from "../base/world.ts";
import type { RouterIntegration } from "./integration.ts";
import { keeperDescriptor, tellKeeper } from "./keeper.ts";
import { type AgentOptions, decodeLaunchOptions, type LaunchOptions } from "./launch-options.ts";
import { openLog } from "./log-file.ts";
import { type Inheritance, openDataPlane } from "./open-data-plane.ts";
import type { Paths } from "./paths.ts";
import { claimPidFile, releasePidFile, writePidFile } from "./pid-file.ts";
import { makeFolders, readyDescriptor, selfCommand } from "./process.ts";
import { type StartedRouter, startRouter } from "./router.ts";
import { failedAnswer } from "./router-answer.ts";
import { ServiceManager } from "./service-manager.ts";
import {
  decodeSummons,
  desertedMaxMs,
  inheritedSockets,
  receiveEstate,
  Successor,
  type Summons,
  successorKeeperDescriptor,
} from "./succession.ts";

/** Other programs on this host that the router works with. */
export interface Integrations {
  /** The container engine at an endpoint; nothing is asked of it before it is needed. */
  engine(endpoint: string, access: LaunchOptions["dockerAccess"]): RouterIntegration;
  /** The cluster of Kubernetes that this host is a node of. */
  kubernetes(options: AgentOptions): RouterIntegration;
  /** What browsers of this host get to see. */
  page(): Promise<Page>;
}

/**
 * The router's process behind `weave launch`: options on standard input, readiness or refusal as
 * one line on descriptor 3, log to the run folder. Returns the exit code when it was told to stop.
 */
export async function runDetachedRouter(paths: Paths, integrations: Integrations): Promise<number> {
  let isReady = false;
  try {
    const options = decodeLaunchOptions(await Bun.stdin.text());
    claimPidFile(paths.pidFile);
    return await new RouterProcess(options, paths, integrations, {
      logFile: paths.logFile,
      keeper: keeperDescriptor,
    }).run((id) => {
      tellKeeper(keeperDescriptor, "ready");
      answer(`ready ${id}`);
      closeSync(readyDescriptor);
      isReady = true;
    });
  } catch (error) {
    // Nobody waits any more, and the descriptor may be another file by now.
    if (isReady) throw error;
    answer(failedAnswer(error));
    return 1;
  }
}

/** The router in this process, for a service manager. @throws WeaveError when it cannot start */
export async function runForegroundRouter(
  options: LaunchOptions,
  paths: Paths,
  integrations: Integrations,
): Promise<number> {
  makeFolders(paths);
  using manager = ServiceManager.take(process.env);
  claimPidFile(paths.pidFile);
  const mode = { logFile: undefined, manager };
  return await new RouterProcess(options, paths, integrations, mode).run((id) =>
    manager?.ready(`run ${id}`),
  );
}

/** A router that takes the place of another; see `succession.ts`. */
export async function runSuccessor(paths: Paths, integrations: Integrations): Promise<number> {
  try {
    const summons = decodeSummons(await Bun.stdin.text());
    const { options, logFile } = summons;
    using manager = ServiceManager.take(process.env);
    const keeper = logFile === undefined ? undefined : successorKeeperDescriptor;
    const mode = { logFile, manager, keeper };
    const router = new RouterProcess(options, paths, integrations, mode);
    const inheritance = await inherit(summons, router.log);
    if (inheritance === undefined) return 0;
    return await router.run((id) => {
      if (keeper !== undefined) tellKeeper(keeper, "ready");
      manager?.ready(`run ${id}`);
      answer(`ready ${id}`);
      // By this the upgrade is seen to be over: the former router knows by then.
      writePidFile(paths.pidFile, process.pid);
    }, inheritance);
  } catch (error) {
    answer(failedAnswer(error));
    return 1;
  }
}

/** Is ready for the estate of the former router, and takes it up when it comes. */
async function inherit(summons: Summons, log: Log): Promise<Inheritance | undefined> {
  const { options, name, captureInterface, datapathMtu } = summons;
  const standing = { captureInterface, datapathMtu };
  const parts = { name, options, log, ...standing, inherited: inheritedSockets(summons) };
  const dataPlane = openDataPlane(parts);
  await dataPlane.ready;
  answer("warm");
  const estate = await receiveEstate();
  if (estate === undefined) {
    await dataPlane.stop();
    return undefined;
  }
  dataPlane.begin(estate.bequest);
  return { dataPlane, captureInterface, neighbours: estate.neighbours };
}

/** To whoever started this process. */
function answer(line: string): void {
  writeSync(readyDescriptor, `${line}\n`);
}

/** Where a run writes, and who is told how it goes. */
interface RunMode {
  /** Absent: to standard error. */
  readonly logFile: string | undefined;
  /** Descriptor of the keeper's pipe; missing in the foreground. */
  readonly keeper?: number | undefined;
  readonly manager?: ServiceManager | undefined;
}

/** What ends a run: a signal, or another process that is ready to go on. */
type Order = { readonly signal: string } | { readonly successor: Successor };

/** How long a former process stays for sessions that go through it, such as terminals of containers. */
const sessionsMaxMs = 3_600_000;

/** For who asked for a successor to have its answer before the control API closes. */
const answerMs = 50;

/** One router process, from its start to its end or to the successor that takes its place. */
class RouterProcess {
  readonly log: Log;
  readonly #options: LaunchOptions;
  readonly #paths: Paths;
  readonly #integrations: Integrations;
  readonly #mode: RunMode;
  /** Before a new program is at its place, when the old one's name can still be had. */
  readonly #command = selfCommand();
  readonly #stopped: Promise<Order>;
  #summoned = Promise.withResolvers<Order>();
  #router: StartedRouter | undefined;

  constructor(options: LaunchOptions, paths: Paths, integrations: Integrations, mode: RunMode) {
    this.#options = options;
    this.#paths = paths;
    this.#integrations = integrations;
    this.#mode = mode;
    this.log = openLog(options.logLevel, mode.logFile);
    process.on("unhandledRejection", (error) => {
      // A request that failed on the way out must not cost the host its network.
      const text = error instanceof Error ? error.stack : errorText(error);
      this.log.error(`unexpected failure: ${text}`);
    });
    this.#stopped = toldToStop();
  }

  /** @throws WeaveError when it cannot start */
  async run(ready: (id: string) => void, inheritance?: Inheritance): Promise<number> {
    try {
      await this.#start(inheritance);
      ready(this.#started.id);
      for (;;) {
        this.log.info(`ready; run ${this.#started.id}`);
        const order = await Promise.race([this.#stopped, this.#summoned.promise]);
        if ("signal" in order) return await this.#stop(order.signal);
        if (await this.#giveWay(order.successor)) process.exit(0);
        await this.#start(undefined);
        writePidFile(this.#paths.pidFile, process.pid);
      }
    } finally {
      releasePidFile(this.#paths.pidFile);
    }
  }

  get #started(): StartedRouter {
    if (this.#router === undefined) throw new WeaveError("NOT_STARTED", "the router is starting");
    return this.#router;
  }

  async #start(inheritance: Inheritance | undefined): Promise<void> {
    this.#summoned = Promise.withResolvers<Order>();
    this.#router = await startRouter({
      options: this.#options,
      paths: this.#paths,
      log: this.log,
      integration: this.#integration(),
      page: () => this.#integrations.page(),
      succeed: () => this.#summon(),
      inheritance,
    });
  }

  #integration(): RouterIntegration | undefined {
    const { dockerApi, dockerAccess, kubernetes } = this.#options;
    if (kubernetes !== undefined) return this.#integrations.kubernetes(kubernetes);
    return dockerApi === "" ? undefined : this.#integrations.engine(dockerApi, dockerAccess);
  }

  async #stop(signal: string): Promise<number> {
    const { keeper, manager } = this.#mode;
    this.log.info(`stopping on ${signal}`);
    manager?.stopping();
    await this.#started.stop();
    if (keeper !== undefined) tellKeeper(keeper, "stopped");
    return 0;
  }

  /** Starts a successor; once it is warm, this router's days are numbered. */
  async #summon(): Promise<number> {
    const { logFile, keeper, manager } = this.#mode;
    if (logFile === undefined && manager === undefined) {
      throw new WeaveError(
        "SUCCESSION_FOREGROUND",
        "whoever started this router would not know the one after it",
        {
          remedy: "stop it and start it again; 'weave setup-systemd' makes it a service that can",
        },
      );
    }
    this.log.info("starting a router that takes over from this one");
    const successor = await Successor.start({
      command: this.#command,
      environment: { ...process.env, ...manager?.environment },
      options: this.#options,
      ...{ logFile, keeper, router: this.#started },
    });
    setTimeout(() => this.#summoned.resolve({ successor }), answerMs);
    return successor.pid;
  }

  /** False when the successor failed, and this process has to go on. */
  async #giveWay(successor: Successor): Promise<boolean> {
    const deserted = Promise.withResolvers<void>();
    const estate = await this.#started.handOver(deserted.resolve);
    try {
      await successor.inherit(estate);
    } catch (error) {
      this.log.error(`${errorText(error)}; starting again in its place`);
      await Promise.all([successor.end(), this.#started.released()]);
      return false;
    }
    this.#mode.manager?.succeededBy(successor.pid);
    // The keeper waits for the end of whoever holds this.
    if (this.#mode.keeper !== undefined) closeSync(this.#mode.keeper);
    const late = Promise.withResolvers<"late">();
    setTimeout(() => late.resolve("late"), desertedMaxMs);
    // Connections that peers have not given up by then end with this process.
    if ((await Promise.race([deserted.promise, late.promise])) !== "late") {
      await Promise.race([this.#started.finished(), this.#stopped, Bun.sleep(sessionsMaxMs)]);
    }
    return true;
  }
}

/** Resolves at the first signal that asks this process to end; a second one does not cut that short. */
function toldToStop(): Promise<Order> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => resolve({ signal }));
    }
  });
}
