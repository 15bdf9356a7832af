import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { WeaveError } from "../base/errors.ts";

/**
 * Starts the router again when it dies: a shell, because that is on every host, costs a hundredth of
 * a second runtime and has nothing in it that could fail.
 *
 *   launch ──▶ keeper (sh) ──▶ router ── "ready", "stopped" ──▶ keeper
 *                   ▲             │ dies without "stopped"
 *                   └── a pause ◀─┘ 0, 1, 3, 7 … 60 s; from 0 again after a run of ten seconds
 *
 * | descriptor | keeper                          | router                                         |
 * | ---------- | ------------------------------- | ---------------------------------------------- |
 * | 0          | options, a file in memory       | the same, from its beginning                   |
 * | 3          | who waits for the first start   | the same; nobody from the second start on      |
 * | 4          |                                 | where it says how it goes: the keeper's pipe   |
 *
 * The keeper waits for the end of that pipe, not of a child: whoever holds it is the router. A first
 * start that fails is answered to who waits, and not repeated. On SIGTERM the keeper goes as soon as
 * the router has.
 */
const script = `# weave: starts the router again when it dies
log=$1
shift
pause=0
first=yes
trap 'kill $! 2>/dev/null; exit' TERM
while :; do
	began=$(date +%s)
	said=$(exec "$@" </proc/self/fd/0 4>&1 >>"$log" 2>&1)
	case $said in
	*stopped) exit ;;
	'') [ -z "$first" ] || exit ;;
	esac
	first=
	exec 3>/dev/null
	[ $(($(date +%s) - began)) -lt 10 ] || pause=0
	printf 'WARN: %s the router ended; starting it again in %s s\\n' \\
		"$(date -u '+%Y/%m/%d %H:%M:%S.000000')" "$pause" >>"$log"
	sleep "$pause" &
	wait $!
	pause=$((pause * 2 + 1))
	[ "$pause" -le 60 ] || pause=60
done
`;

const shell = "/bin/sh";

export interface KeptProgram {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Descriptor of what it reads as standard input at every start. */
  readonly input: number;
  /** Path of the log to which the program's output is appended. */
  readonly logFile: string;
}

/**
 * Starts a keeper and through it the program. What the program answers on descriptor 3 can be read
 * from `stdio[3]` of the result.
 *
 * @throws WeaveError `KEEPER_NO_SHELL`
 */
export function startKeeper(program: KeptProgram): ChildProcess {
  if (!existsSync(shell)) {
    throw new WeaveError("KEEPER_NO_SHELL", `there is no ${shell} to keep the router running`, {
      remedy: "launch with --no-restart, or with --foreground under a service manager",
    });
  }
  const { command, environment, input, logFile } = program;
  // For root alone, whatever the shell would make of it.
  closeSync(openSync(logFile, "a", 0o600));
  return spawn(shell, ["-c", script, "weave-keeper", logFile, ...command], {
    detached: true,
    // A shell tells on its own error output how its children died, in a form that no log has.
    stdio: [input, "ignore", "ignore", "pipe"],
    cwd: "/",
    env: environment,
  });
}

/** Where a router tells its keeper how it goes; leads nowhere when there is no keeper. */
export const keeperDescriptor = 4;

/** The keeper may have been ended before the router; then nobody has to know. */
export function tellKeeper(descriptor: number, word: "ready" | "stopped"): void {
  try {
    writeSync(descriptor, `${word}\n`);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
}
