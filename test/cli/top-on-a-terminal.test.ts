import { afterAll, beforeAll, expect, test } from "bun:test";
import { weaveCommand } from "../hosts/lab.ts";
import { fullMesh } from "./some-network.ts";
import { someRouter } from "./some-router.ts";
import { TerminalSession } from "./terminal-session.ts";

/** `weave top` on a terminal of its own, looking at a router that is pretended. */

const answer = someRouter(() => fullMesh(3));
let server: Bun.Server<undefined>;

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch({ url, signal }) {
      const { pathname, searchParams } = new URL(url);
      const path = [pathname.slice(1)];
      const isFollowed = searchParams.has("follow");
      return new Response(await answer({ path, ...(isFollowed && { signal }) }));
    },
  });
});

afterAll(() => server.stop(true));

function openTop(env: Record<string, string> = {}): TerminalSession {
  const at = { WEAVE_HTTP_ADDR: `127.0.0.1:${server.port}` };
  return new TerminalSession(["top", "--interval", "100ms"], { ...at, ...env });
}

const [taken, givenBack] = ["\u001b[?1049h\u001b[?25l", "\u001b[?25h\u001b[?1049l"];

test("a terminal is taken, and given back whatever ends it", async () => {
  for (const end of ["q", "\u0003", "SIGTERM", "SIGHUP"] as const) {
    await using session = openTop();
    await session.shows("LINKS 2");
    expect(session.seen).toStartWith(taken);
    if (end.startsWith("SIG")) session.child.kill(end as "SIGTERM");
    else session.type(end);
    expect(await session.child.exited).toBe(0);
    await session.shows(givenBack);
  }
});

test("a stopped process has given it back, and takes it again when it goes on", async () => {
  for (const stop of [
    (session: TerminalSession) => session.type("\u001a"),
    (session: TerminalSession) => session.child.kill("SIGTSTP"),
  ]) {
    await using session = openTop();
    await session.shows("LINKS 2");
    stop(session);
    await session.isStopped();
    await session.shows(givenBack);
    const from = session.seen.length;
    session.child.kill("SIGCONT");
    await session.shows("LINKS 2", from);
    expect(session.seen.slice(from)).toContain(taken);
    session.type("q");
    expect(await session.child.exited).toBe(0);
  }
});

test("of a job of a shell a frame fits, also when the size has changed while it was stopped", async () => {
  const env = { WEAVE_HTTP_ADDR: `127.0.0.1:${server.port}`, PS1: "ready> " };
  await using session = new TerminalSession(["--norc", "-i"], env, ["bash"]);
  await session.shows("ready> ");
  session.type(`${[...weaveCommand(), "top", "--interval", "100ms"].join(" ")}\n`);
  await session.shows("LINKS 2");
  session.type("\u001a");
  await session.shows("ready> ", session.seen.lastIndexOf(taken));
  session.child.terminal!.resize(60, 12);
  const from = session.seen.length;
  session.type("fg\n");
  await session.shows("q end", from);
  expect(session.seen.slice(from)).toContain("\u001b[12;1H");
  expect(session.seen.slice(from)).not.toContain("\u001b[13;1H");
  session.type("q");
  await session.shows(givenBack, from);
});

test("a frame fits the terminal, also after it has another size", async () => {
  await using session = openTop({ NO_COLOR: "1" });
  await session.shows("q end");
  expect(session.seen).not.toContain("\u001b[0m");
  const from = session.seen.length;
  session.child.terminal!.resize(60, 12);
  await session.shows("\u001b[12;1H", from);
  expect(session.seen.slice(from)).not.toContain("\u001b[13;1H");
  session.type("?");
  await session.shows("sort by the next column", from);
});

test("a terminal that cannot be drawn on gets a text", async () => {
  await using session = openTop({ TERM: "dumb" });
  expect(await session.child.exited).toBe(0);
  await session.shows("LINKS");
  expect(session.seen).not.toContain("\u001b");
});
