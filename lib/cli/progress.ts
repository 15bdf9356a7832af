import type { CommandContext } from "./context.ts";

/** What takes less time is done before anybody wonders. */
const wonderMs = 1000;
const renewMs = 1000;

/**
 * Does something that may take a while. On a terminal a line says meanwhile what is waited for and
 * for how long, and is gone afterwards; scripts wait in silence, and so does a screen that cannot
 * take lines away, but for being told once.
 *
 * @param what such as "waiting for the router to be ready"; a function tells what it is by now
 */
export async function withProgress<Result>(
  { stderr }: Pick<CommandContext, "stderr">,
  what: string | (() => string),
  work: () => Promise<Result>,
): Promise<Result> {
  if (stderr.isTerminal !== true) return work();
  const sentence = typeof what === "string" ? () => what : what;
  const startMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (): void => {
    if (stderr.pass === undefined) stderr.write(`${sentence()}\n`);
    else {
      stderr.pass(`${sentence()} (${durationText(performance.now() - startMs)})`);
      timer = setTimeout(tell, renewMs);
    }
  };
  timer = setTimeout(tell, wonderMs);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    stderr.pass?.();
  }
}

/** `7 s`, `2 min 5 s`. */
function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
