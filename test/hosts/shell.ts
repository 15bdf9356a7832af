/** Running programs in tests: bounded in time, with their output kept. */

/** How many times longer everything may take here, e.g. on an emulated processor. */
const slowness = Number(process.env.WEAVE_TEST_SLOWNESS ?? 1);

/**
 * What is awaited may take so many times as long as it does on a quiet machine: time that passes only
 * when a test fails.
 */
const patience = 2 * slowness;

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  readonly waitMs?: number;
}

/** Runs a program to its end; one that takes much longer than `waitMs` is killed and fails. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...options.env },
    stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
    stdout: "pipe",
    stderr: "pipe",
    timeout: (options.waitMs ?? 30_000) * patience,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** Like {@link run}, for programs that must succeed; gives their standard output. */
export async function must(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, options);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Between two askings, of the time that has passed: what is awaited is to have the processors. */
const pausePart = 0.1;
const pauseMaxMs = 500;

/**
 * Asks until the answer pleases: for states that other processes reach in their own time. It asks
 * again at once in the beginning, and the more seldom the longer it takes.
 *
 * @param waitMs what it takes at most where nothing else runs
 * @throws Error with the last answer when it does not within `waitMs`
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  pleases: (answer: T) => boolean,
  waitMs = 15_000,
): Promise<T> {
  const limitMs = waitMs * patience;
  const beginMs = performance.now();
  for (;;) {
    const answer = await ask();
    if (pleases(answer)) return answer;
    const passedMs = performance.now() - beginMs;
    if (passedMs > limitMs) {
      throw new Error(
        `${what}: not within ${limitMs} ms; last: ${JSON.stringify(answer, null, 1)}`,
      );
    }
    await Bun.sleep(Math.min(passedMs * pausePart, pauseMaxMs));
  }
}

/** Kills a process of any parent, and waits until it has left its files and sockets behind. */
export async function killed(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  await eventually(
    `the end of process ${pid}`,
    () => livingThreads(pid),
    (threads) => threads === 0,
  );
}

/** A process gives up its files with its last thread; its first is a zombie by then, or nothing. */
async function livingThreads(pid: number): Promise<number> {
  const { stdout } = await run(["sh", "-c", `cat /proc/${pid}/task/*/stat`]);
  return stdout.match(/\) [^ZX] /g)?.length ?? 0;
}
