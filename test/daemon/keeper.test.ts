import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { watch } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { startKeeper } from "../../lib/daemon/keeper.ts";

/**
 * The keeper with a shell for a router. Each start appends its input to `starts`, then does what the
 * line of that number in `plan` says.
 */
const stand = `
cat >>starts
turn=$(wc -l <starts)
eval "$(sed -n "\${turn}p" plan)"
`;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-keeper-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);

async function appears(name: string): Promise<void> {
  const changes = watch(folder);
  const first = existsSync(path(name)) ? undefined : changes[Symbol.asyncIterator]();
  while (!existsSync(path(name))) await first?.next();
  await first?.return?.();
}

/** Runs a keeper until it goes, or until `until` is there and it was told to. */
async function kept(plan: readonly string[], until?: string) {
  writeFileSync(path("input"), "options\n");
  writeFileSync(path("plan"), `${plan.join("\n")}\n`);
  const input = openSync(path("input"), "r");
  const keeper = startKeeper({
    command: ["/bin/sh", "-c", `cd ${folder}\n${stand}`],
    environment: process.env,
    input,
    logFile: path("log"),
  });
  closeSync(input);
  const gone = new Promise<void>((resolve) => keeper.once("exit", () => resolve()));
  const answer = new Response(keeper.stdio[3] as Readable).text();
  if (until !== undefined) {
    await appears(until);
    process.kill(keeper.pid!, "SIGTERM");
  }
  await gone;
  const log = existsSync(path("log")) ? readFileSync(path("log"), "utf8") : "";
  const starts = readFileSync(path("starts"), "utf8");
  return { answer: await answer, log, starts: starts.split("\n").length - 1, input: starts };
}

describe("the keeper of a router", () => {
  test("starts one that dies again, with the same input, until it has stopped in order", async () => {
    const { starts, input, log } = await kept([
      "echo ready >&4; kill -9 $$",
      "echo ready >&4; echo stopped >&4",
    ]);
    expect(starts).toBe(2);
    expect(input).toBe("options\noptions\n");
    expect(log).toMatch(
      /^WARN: \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.000000 the router ended; starting it again in 0 s\n$/,
    );
  });

  test("answers who waits with what the first start says, and does not repeat one that fails", async () => {
    const { starts, answer } = await kept(["echo 'failed {}' >&3; exit 1"]);
    expect(starts).toBe(1);
    expect(answer).toBe("failed {}\n");
    expect(await kept(["kill -9 $$"])).toMatchObject({ answer: "" });
  });

  test("goes on after a later start that fails, with longer pauses, and ends in one when told", async () => {
    const { starts, log } = await kept(
      ["echo ready >&4", "touch second; exit 1", "touch third; exit 1"],
      "third",
    );
    expect(starts).toBe(3);
    expect(log.match(/again in \d+ s/g)?.slice(0, 2)).toEqual(["again in 0 s", "again in 1 s"]);
  });

  test("lets the router end first when both are told to", async () => {
    const { starts, log } = await kept(
      ["echo ready >&4; touch running; sleep 0.2; touch ended; echo stopped >&4"],
      "running",
    );
    expect(existsSync(path("ended"))).toBe(true);
    expect(starts).toBe(1);
    expect(log).toBe("");
  });

  test("waits for whoever holds the pipe, not for the process that it started", async () => {
    const { starts } = await kept([
      "echo ready >&4; (sleep 0.2; echo ready >&4; touch second; echo stopped >&4) >/dev/null & exit 0",
    ]);
    expect(starts).toBe(1);
    expect(existsSync(path("second"))).toBe(true);
  });

  test("appends the router's own output to the log", async () => {
    const { log } = await kept(["echo out; echo err >&2; echo stopped >&4"]);
    expect(log).toBe("out\nerr\n");
  });
});
