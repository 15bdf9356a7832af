import { watch } from "node:fs";
import { basename, dirname } from "node:path";
import { WeaveError } from "../../base/errors.ts";
import type { CommandHandler, Output } from "../context.ts";
import { FileFollower } from "../file-follower.ts";

export const logs: CommandHandler = async ({ router, flags, stdout, interrupts, isRoot }) => {
  const follower = new FileFollower(router.logFile);
  const before = follower.readNew();
  if (before === undefined) {
    throw new WeaveError("LOG_ABSENT", `no router has run here (there is no ${router.logFile})`, {
      remedy: isRoot ? "start one with 'weave launch'" : "only root may read it",
    });
  }
  const tail = flags.text("tail");
  stdout.write(tail === undefined ? before : lastLines(before, Number(tail)));
  if (flags.enabled("follow")) await follow(router.logFile, follower, stdout, interrupts());
  return 0;
};

function lastLines(text: string, count: number): string {
  if (count <= 0) return "";
  return text
    .split(/(?<=\n)/)
    .slice(-count)
    .join("");
}

/** Prints what is appended until interrupted. */
function follow(
  path: string,
  follower: FileFollower,
  stdout: Output,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const print = (): void => stdout.write(follower.readNew() ?? "");
    // The folder is watched, because the file is replaced when it has grown too long.
    const watcher = watch(dirname(path), (_event, name) => {
      if (name === null || name === basename(path)) print();
    });
    const end = (): void => {
      watcher.close();
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    print();
  });
}
