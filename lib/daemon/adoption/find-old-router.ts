import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { WeaveError } from "../../base/errors.ts";
import { NetworkNamespace, namespaceOfProcess } from "../../host/netns.ts";
import type { EngineProgram, OldFiles, OldRouter, ProgramEngine } from "./facts.ts";

/** The program inside the original's images, and the container in which its script runs it. */
const program = "weaver";
const containerName = "weave";
const passwordVariable = "WEAVE_PASSWORD";
const passwordFlag = /^--?password(?:=(.*))?$/s;

/**
 * The router of the original on this host: one that runs in the calling thread's network namespace,
 * or else the stopped container of one.
 *
 * @throws WeaveError `ADOPT_NOTHING`, `ADOPT_SEVERAL`, `ENGINE_…`
 */
export async function findOldRouter(engine: ProgramEngine | undefined): Promise<OldRouter> {
  const processes = routerProcesses();
  if (processes.length > 1) {
    throw new WeaveError(
      "ADOPT_SEVERAL",
      `several routers of Weave Net 2.x run here: processes ${processes.join(", ")}`,
      { remedy: "stop those that are not to be adopted" },
    );
  }
  const pid = processes[0];
  if (pid !== undefined) return await runningRouter(pid, engine);
  const container = await engine?.describe(containerName);
  if (container !== undefined && basename(container.command[0] ?? "") === program) {
    return stoppedRouter(container);
  }
  throw new WeaveError("ADOPT_NOTHING", "no router of Weave Net 2.x runs here", {
    remedy:
      "start it once more, so that its settings can be seen, or launch with them yourself: " +
      "'weave launch --import-db <its weavedata.db>'",
  });
}

/** Processes of this network namespace whose program has the original's name. */
function routerProcesses(): number[] {
  using here = NetworkNamespace.current();
  return readdirSync("/proc")
    .map(Number)
    .filter(Number.isInteger)
    .filter((pid) => basename(wordsOf(pid)[0] ?? "") === program)
    .filter((pid) => namespaceOfProcess(pid) === here.inode);
}

async function runningRouter(pid: number, engine: ProgramEngine | undefined): Promise<OldRouter> {
  const group = textOf(`/proc/${pid}/cgroup`);
  const container = await containerOf(pid, group, engine);
  return {
    pid,
    container,
    ...invocation(container?.command ?? wordsOf(pid), container?.environment ?? environmentOf(pid)),
    isPod: group.includes("kubepods"),
    files: container === undefined ? filesOfProcess(pid) : filesOfContainer(container, pid),
  };
}

async function containerOf(
  pid: number,
  group: string,
  engine: ProgramEngine | undefined,
): Promise<EngineProgram | undefined> {
  const id = /[0-9a-f]{64}/.exec(group)?.[0];
  const found = await engine?.describe(id ?? containerName);
  if (id !== undefined && found === undefined && !group.includes("kubepods")) {
    throw new WeaveError(
      "ADOPT_ENGINE",
      "the old router runs in a container, and no container engine knows it",
      { remedy: "name the engine with --docker-api" },
    );
  }
  return found?.pid === pid ? found : undefined;
}

function stoppedRouter(container: EngineProgram): OldRouter {
  return {
    pid: undefined,
    container,
    ...invocation(container.command, container.environment),
    isPod: false,
    files: filesOfContainer(container),
  };
}

/** How it was started; a password among the options counts before that of the environment. */
export function invocation(
  [started = program, ...options]: readonly string[],
  environment: readonly string[],
): Pick<OldRouter, "program" | "words" | "password"> {
  const words: string[] = [];
  let given: string | undefined;
  for (let at = 0; at < options.length; at++) {
    const match = passwordFlag.exec(options[at]!);
    if (match === null) words.push(options[at]!);
    else given = match[1] ?? options[++at];
  }
  const variable = environment.find((each) => each.startsWith(`${passwordVariable}=`));
  const password = given || variable?.slice(passwordVariable.length + 1);
  return { program: started, words, password: password || undefined };
}

function filesOfProcess(pid: number): OldFiles {
  const locate = (path: string): string =>
    join(`/proc/${pid}`, path.startsWith("/") ? "root" : "cwd", path);
  return { locate, isShared: (path) => isSameFile(locate(path), path) };
}

/**
 * By what is mounted into it, for that stays when it is stopped; what else it has is nobody's while
 * it does not run.
 */
function filesOfContainer({ mounts }: EngineProgram, pid?: number): OldFiles {
  const locate = (path: string): string | undefined => {
    const mount = mounts
      .filter(({ target }) => path === target || path.startsWith(`${target}/`))
      .sort((a, b) => b.target.length - a.target.length)[0];
    if (mount !== undefined) return join(mount.source, path.slice(mount.target.length));
    return pid === undefined ? undefined : filesOfProcess(pid).locate(path);
  };
  return {
    locate,
    isShared(path) {
      const there = locate(path);
      return there !== undefined && isSameFile(there, path);
    },
  };
}

function isSameFile(there: string, here: string): boolean {
  if (!existsSync(there) || !existsSync(here)) return false;
  const [a, b] = [statSync(there), statSync(here)];
  return a.dev === b.dev && a.ino === b.ino;
}

function wordsOf(pid: number): string[] {
  return listOf(`/proc/${pid}/cmdline`);
}

function environmentOf(pid: number): string[] {
  return listOf(`/proc/${pid}/environ`);
}

function listOf(path: string): string[] {
  const text = textOf(path);
  return text === "" ? [] : text.replace(/\0$/, "").split("\0");
}

/** Empty for a process that ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
