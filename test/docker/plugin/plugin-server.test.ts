import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Listener } from "../../../lib/api/listen.ts";
import { WeaveError } from "../../../lib/base/errors.ts";
import { silentLog } from "../../../lib/base/world.ts";
import { servePlugin } from "../../../lib/docker/plugin/plugin-server.ts";

const folder = mkdtempSync(join(tmpdir(), "weave-plugin-"));
const path = join(folder, "plugins/weavemesh.sock");
let listener: Listener;

beforeAll(() => {
  const methods = {
    "NetworkDriver.Echo": async (request: unknown) => ({ request }),
    "NetworkDriver.Fail": async () => {
      throw new WeaveError("SOME", "it cannot be", { remedy: "do something else" });
    },
    "NetworkDriver.Break": async () => {
      throw new TypeError("x is not a function");
    },
  };
  listener = servePlugin(path, ["NetworkDriver", "IpamDriver"], methods, { log: silentLog });
});
afterAll(async () => {
  await listener.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What comes back for octets that are sent as they are. */
async function send(
  head: readonly string[],
  body = "",
  length = body.length,
): Promise<{ head: string; body: string }> {
  const answered = Promise.withResolvers<string>();
  const socket = connect(path);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.on("close", () => answered.resolve(text));
  socket.on("error", answered.reject);
  const lines = [...head, `Content-Length: ${length}`, "Connection: close"];
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  const [first = "", rest = ""] = (await answered.promise).split("\r\n\r\n");
  return { head: first, body: rest };
}

/** As the two engines write it. */
const accept = "Accept: application/vnd.docker.plugins.v1.2+json";
const engines = [
  ["of release 20.10, which names no host", ["Host: ", "User-Agent: Go-http-client/1.1", accept]],
  ["of release 28", ["Host: plugin.moby.localhost", "User-Agent: Go-http-client/1.1", accept]],
] as const;

describe("a plugin's socket", () => {
  for (const [engine, headers] of engines) {
    test(`answers an engine ${engine}`, async () => {
      const activated = await send(["POST /Plugin.Activate HTTP/1.1", ...headers]);
      expect(activated.head).toStartWith("HTTP/1.1 200");
      expect(activated.head.toLowerCase()).toContain("application/vnd.docker.plugins.v1.2+json");
      expect(activated.body).toBe('{"Implements":["NetworkDriver","IpamDriver"]}');
      const echo = ["POST /NetworkDriver.Echo HTTP/1.1", ...headers];
      expect((await send(echo, '{"a":[1]}')).body).toBe('{"request":{"a":[1]}}');
      expect((await send(echo)).body).toBe('{"request":{}}');
    });
  }

  test("tells of a failure as Docker understands it, with what to do", async () => {
    const failed = await send(["POST /NetworkDriver.Fail HTTP/1.1", "Host: x"], "{}");
    expect(failed.head).toStartWith("HTTP/1.1 500");
    expect(failed.body).toBe('{"Err":"it cannot be; do something else"}');
    const broken = await send(["POST /NetworkDriver.Break HTTP/1.1", "Host: x"], "{}");
    expect(broken.body).toBe('{"Err":"x is not a function"}');
  });

  test("refuses what is no JSON, what it does not know, and what is too long", async () => {
    const garbage = await send(["POST /NetworkDriver.Echo HTTP/1.1", "Host: x"], "{");
    expect(garbage.head).toStartWith("HTTP/1.1 400");
    for (const unknown of ["/NetworkDriver.Nothing", "/__proto__", "/toString", "/", "/a/b"]) {
      const answer = await send([`POST ${unknown} HTTP/1.1`, "Host: "], "{}");
      expect(answer.head).toStartWith("HTTP/1.1 404");
    }
    const long = await send(["POST /NetworkDriver.Echo HTTP/1.1", "Host: x"], "{}", 2 << 20);
    expect(long.head).toStartWith("HTTP/1.1 413");
  });

  test("is for root alone", () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("takes the place of a dead one, and goes with the router", async () => {
    const other = join(folder, "other.sock");
    const first = servePlugin(other, ["NetworkDriver"], {}, { log: silentLog });
    const second = servePlugin(other, ["NetworkDriver"], {}, { log: silentLog });
    await first.close();
    await second.close();
    expect(existsSync(other)).toBe(false);
  });

  test("does not take the place of a file", () => {
    const file = join(folder, "file.sock");
    writeFileSync(file, "of somebody else");
    expect(() => servePlugin(file, [], {}, { log: silentLog })).toThrow(
      `cannot serve Docker at ${file}`,
    );
    expect(existsSync(file)).toBe(true);
  });
});
