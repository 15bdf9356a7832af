import { closeSync, openSync, rmSync } from "node:fs";
import * as v from "valibot";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { Caller } from "../../base/network-event.ts";
import { shellLine } from "../../diagnosis/shell-words.ts";
import { defaultDeviceNames } from "../../host/device-names.ts";
import { removeFirewall } from "../../host/firewall/firewall.ts";
import { changeLink, findLink } from "../../host/netlink/link.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { datapathBackends } from "../datapath-backends.ts";
import { readOriginalDatabase } from "../original-import.ts";
import { databaseFiles, type Paths } from "../paths.ts";
import { startTicksOf } from "../pid-file.ts";
import { endProcess, launchRouter, stopRouter } from "../process.ts";
import { extentOf, type SnapshotExtent, type SnapshotState } from "../snapshot.ts";
import { adoptState } from "../snapshot-store.ts";
import type { EngineProgram, OldRouter, ProgramEngine } from "./facts.ts";
import { removeOldExposure } from "./old-rules.ts";
import { type AdoptionPlan, addressesInUse, stateToAdopt } from "./plan.ts";
import { type Step, Steps } from "./steps.ts";

/** How it went. */
export interface AdoptionOutcome {
  /** Of the run of the new router. */
  readonly id: string;
  /** How much was taken over. */
  readonly extent: SnapshotExtent;
  /** Addresses in use on this host that the new router does not hold. */
  readonly unclaimed: readonly string[];
}

/** What adopting works with. */
export interface AdoptionMachine {
  /** Missing when none answers. */
  readonly engine: ProgramEngine | undefined;
  readonly paths: Paths;
  /** Who asked. */
  readonly by: Caller | undefined;
  /** Hears what is being done, a sentence each. */
  say(sentence: string): void;
  /** Aborted: no step is begun any more, and those that were are taken back. */
  readonly signal: AbortSignal;
}

/** Addresses in ranges of other peers are asked of these. */
const claimWaitMs = 10_000;
const lookAgainMs = 100;

/**
 * Takes a host over:
 *
 *   old router stopped for good ▸ its state written as ours ▸ ports of containers marked ▸ ours launched
 *
 * What fails takes back the steps before it, latest first.
 *
 * @throws WeaveError `ADOPT_FAILED`, with how the old router is running again as remedy
 */
export async function adoptHost(
  plan: AdoptionPlan,
  machine: AdoptionMachine,
): Promise<AdoptionOutcome> {
  const { facts, options } = plan;
  const { engine, paths } = machine;
  const steps = new Steps(machine.say, machine.signal);
  // By descriptor: the path may lead through the process that is stopped.
  const data = facts.database && openSync(facts.database.path, "r");
  let id = "";
  let state = plan.state;
  try {
    const programs = [facts.router.container, ...facts.companions];
    for (const program of programs) {
      if (program !== undefined) await steps.run(stopProgram(program, required(engine)));
    }
    if (facts.router.container === undefined) await steps.run(stopProcess(facts.router));
    await steps.run({
      says: `writing what it knows to ${paths.database}`,
      action() {
        state = finalState(plan, data);
        adoptState(state, paths, { from: nameOf(facts.router), by: machine.by });
      },
      undo: { says: `removing ${paths.database}`, action: () => removeState(paths) },
    });
    await steps.run(markPorts(plan));
    await steps.run({
      says: "launching the new router",
      async action() {
        id = await launchRouter(options, paths);
      },
      undo: {
        says: "removing what the new router has made",
        action: () => removeOurs(plan, paths),
      },
    });
  } catch (cause) {
    await steps.takeBack();
    throw new WeaveError("ADOPT_FAILED", `the host is not taken over: ${errorText(cause)}`, {
      remedy: startAgain(facts.router),
      cause,
    });
  } finally {
    if (data !== undefined) closeSync(data);
  }
  removeOldExposure(options.weaveBridge);
  return { id, extent: extentOf(state), unclaimed: await unclaimed(addressesInUse(plan), paths) };
}

/** A container that its engine would start again, at the next boot if not before. */
function stopProgram(program: EngineProgram, engine: ProgramEngine): Step {
  const { id, name, isRunning, restartPolicy } = program;
  return {
    says: `stopping the container ${name}, which is not to be started again`,
    async action() {
      await engine.setRestartPolicy(id, { name: "no", maximumRetryCount: 0 });
      if (isRunning) await engine.stop(id);
    },
    undo: {
      says: isRunning
        ? `starting the container ${name} again`
        : `giving the container ${name} its restart policy again`,
      async action() {
        await engine.setRestartPolicy(id, restartPolicy);
        if (isRunning) await engine.start(id);
      },
    },
  };
}

function stopProcess({ pid }: OldRouter): Step {
  return {
    says: `stopping the old router, process ${pid}`,
    async action() {
      const startTicks = pid === undefined ? undefined : startTicksOf(pid);
      if (pid !== undefined && startTicks !== undefined) await endProcess({ pid, startTicks });
    },
  };
}

/** As the old router has left it at its end. */
function finalState({ facts, settings }: AdoptionPlan, data: number | undefined): SnapshotState {
  const database = facts.database && {
    path: facts.database.path,
    content: readOriginalDatabase(`/proc/self/fd/${data}`),
  };
  return stateToAdopt({ ...facts, database }, settings);
}

function removeState(paths: Paths): void {
  for (const file of databaseFiles(paths)) rmSync(file, { force: true });
}

/** Says at each container's port whose it is, as attaching does. */
function markPorts({ facts: { containers } }: AdoptionPlan): Step {
  const mark = (alias: (ident: string) => string): void => {
    using netlink = openRoute();
    for (const { port, ident } of containers) {
      const link = findLink(netlink, { name: port });
      if (link !== undefined) changeLink(netlink, link.index, { alias: alias(ident) });
    }
  };
  return {
    action: () => mark((ident) => ident),
    undo: { says: "clearing the marks at the ports of containers", action: () => mark(() => "") },
  };
}

/** Leaves bridge and ports of containers, and a datapath that was there before. */
async function removeOurs({ facts, options }: AdoptionPlan, paths: Paths): Promise<void> {
  await stopRouter(paths);
  const names = {
    ...defaultDeviceNames,
    bridge: options.weaveBridge,
    datapath: options.datapath,
  };
  for (const backend of datapathBackends) {
    if (backend.name !== "ovs" || facts.wiring !== "bridged_fastdp") backend.remove(names);
  }
  removeFirewall();
}

function nameOf({ container, pid, program }: OldRouter): string {
  if (container !== undefined) return `the container ${container.name}`;
  return pid === undefined ? program : `process ${pid}`;
}

function startAgain({ container, pid, program, words, password }: OldRouter): string {
  if (container !== undefined) {
    const state = container.isRunning ? "runs" : "is left";
    return `the container ${container.name} of the old router ${state} as before`;
  }
  const secret = password === undefined ? "" : ", with its password in WEAVE_PASSWORD";
  return `process ${pid} of the old router has ended; start it as before${secret}: ${shellLine(program, ...words)}`;
}

const heldSchema = v.object({
  owned: v.nullable(v.array(v.object({ addrs: v.array(v.string()) }))),
});

/** Which of these addresses the router does not hold, after the time that asking others takes. */
async function unclaimed(addresses: readonly string[], paths: Paths): Promise<string[]> {
  for (const deadline = performance.now() + claimWaitMs; ; ) {
    const held = await heldAddresses(paths);
    const missing = addresses.filter((address) => held !== undefined && !held.has(address));
    if (missing.length === 0 || performance.now() > deadline) return missing;
    await Bun.sleep(lookAgainMs);
  }
}

/** Absent without an allocator. */
async function heldAddresses(paths: Paths): Promise<Set<string> | undefined> {
  const signal = AbortSignal.timeout(claimWaitMs);
  const answer = await fetch("http://localhost/ip", { unix: paths.socket, signal });
  if (!answer.ok) return undefined;
  const { owned } = v.parse(heldSchema, await answer.json());
  return new Set((owned ?? []).flatMap(({ addrs }) => addrs.map((cidr) => cidr.split("/")[0]!)));
}

function required(engine: ProgramEngine | undefined): ProgramEngine {
  if (engine !== undefined) return engine;
  throw new WeaveError("ADOPT_ENGINE", "no container engine answers");
}
