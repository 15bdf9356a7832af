import { watch } from "node:fs";
import { basename, dirname } from "node:path";
import { WeaveError } from "../../base/errors.ts";
import type { CommandHandler, Output } from "../context.ts";
import { FileFollower } from "../file-follower.ts";

export const logs: CommandHandler = async ({ router, flags, stdout, interrupts, isRoot }) => {
  const follower = new FileFollower(router.logFile);
  const before = follower.readNew();
  if (before === undefined) throw isRoot ? absent(router.logFile) : unseen(router.logFile);
  const tail = flags.text("tail");
  stdout.write(tail === undefined ? before : lastLines(before, Number(tail)));
  if (flags.enabled("follow")) await follow(router.logFile, follower, stdout, interrupts());
  return 0;
};

function absent(path: string): WeaveError {
  return new WeaveError("LOG_ABSENT", `no router has run here (there is no ${path})`, {
    remedy: "start one with 'weave launch'",
  });
}

/** Its folder is root's alone, so that nobody else sees whether it is there. */
function unseen(path: string): WeaveError {
  return new WeaveError("LOG_UNSEEN", `this user may not read ${path}, if there is one`, {
    remedy: "run 'sudo weave logs'",
  });
}

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
