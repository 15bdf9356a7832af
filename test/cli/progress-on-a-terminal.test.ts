import { expect, test } from "bun:test";
import { TerminalSession } from "./terminal-session.ts";

test("what a command waits for is on the terminal while it does, and then no more", async () => {
  const agreed = Promise.withResolvers<void>();
  await using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch() {
      await agreed.promise;
      return new Response("");
    },
  });
  const env = { WEAVE_HTTP_ADDR: `127.0.0.1:${server.port}` };
  await using session = new TerminalSession(["prime"], env);
  await session.shows("\r\u001b[Jwaiting for the cluster to agree");
  agreed.resolve();
  expect(await session.child.exited).toBe(0);
  await session.shows("\r\u001b[J", session.seen.lastIndexOf("waiting"));
  expect(session.seen).toEndWith("\r\u001b[J");
  expect(session.seen).not.toContain("\n");
});
