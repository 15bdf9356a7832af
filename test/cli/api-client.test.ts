import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiRequest, apiAddress, httpApiClient } from "../../lib/cli/api-client.ts";
import { ApiError } from "../../lib/cli/api-error.ts";

let folder = "";
let server: Bun.Server<undefined>;
let heard: Array<{ method: string; url: string; type: string | null; body: string }> = [];
let headers = new Headers();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-api-"));
  server = Bun.serve({
    unix: join(folder, "control.sock"),
    async fetch(request) {
      const url = new URL(request.url);
      headers = new Headers(request.headers);
      heard.push({
        method: request.method,
        url: url.pathname + url.search,
        type: request.headers.get("Content-Type"),
        body: await request.text(),
      });
      return answers[url.pathname]?.() ?? new Response("404 page not found\n", { status: 404 });
    },
  });
});
afterAll(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true, force: true });
});

const answers: Record<string, () => Response> = {
  "/domain": () => new Response("weave.local."),
  "/connect": () => new Response("bad name\n", { status: 400 }),
  "/attach/c": () => Response.json({ code: "X_Y", message: "no", remedy: "do" }, { status: 409 }),
  "/dns-lookup/n": () => Response.json({ code: "DNS_DISABLED", message: "off" }, { status: 404 }),
  "/ps": () => Response.json({ code: "C_NOT_FOUND", message: "absent" }, { status: 404 }),
  "/odd": () => new Response("", { status: 500 }),
};

function ask(
  request: Partial<ApiRequest>,
  environment: Record<string, string> = { WEAVE_RUN_DIR: folder },
) {
  heard = [];
  return httpApiClient(environment).request({ method: "GET", path: [], ...request });
}

async function failure(promise: Promise<string>): Promise<ApiError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("succeeded");
}

describe("the control API", () => {
  test("is found at WEAVE_HTTP_ADDR, else at the socket, else at the default address", () => {
    expect(apiAddress({ WEAVE_HTTP_ADDR: "10.0.0.1:80" })).toEqual({ host: "10.0.0.1", port: 80 });
    expect(apiAddress({ WEAVE_HTTP_ADDR: ":80" })).toEqual({ host: "127.0.0.1", port: 80 });
    expect(apiAddress({ WEAVE_HTTP_ADDR: "[::1]:80" })).toEqual({ host: "::1", port: 80 });
    expect(apiAddress({ WEAVE_HTTP_ADDR: "/x.sock" })).toEqual({ socketPath: "/x.sock" });
    expect(() => apiAddress({ WEAVE_HTTP_ADDR: "nonsense" })).toThrow("is no address");
    expect(apiAddress({ WEAVE_RUN_DIR: folder })).toEqual({
      socketPath: join(folder, "control.sock"),
    });
  });

  test("is never looked for elsewhere when the run folder was named", () => {
    expect(apiAddress({ WEAVE_RUN_DIR: "/nowhere" })).toEqual({
      socketPath: "/nowhere/control.sock",
    });
  });
});

describe("a request", () => {
  test("returns the body", async () => {
    expect(await ask({ path: ["domain"] })).toBe("weave.local.");
  });

  test("escapes what it puts into paths, queries and forms", async () => {
    await failure(ask({ path: ["name", "a/b c"], query: [["fqdn", "x&y=z"]] }));
    expect(heard[0]?.url).toBe("/name/a%2Fb%20c?fqdn=x%26y%3Dz");
    await failure(ask({ method: "POST", path: ["connect"], form: [["peer", "a b&c"]] }));
    expect(heard[0]).toMatchObject({
      method: "POST",
      type: "application/x-www-form-urlencoded",
      body: "peer=a+b%26c",
    });
    await failure(ask({ method: "POST", path: ["attach", "c"], json: { addresses: [] } }));
    expect(heard[0]).toMatchObject({ type: "application/json", body: '{"addresses":[]}' });
  });

  test.each(["", ".", ".."])("is not made of %p, which would be another path", async (word) => {
    const refused = await failure(ask({ method: "DELETE", path: ["peer", word] }));
    expect(refused).toMatchObject({ kind: "refused", message: `"${word}" names nothing` });
    expect(heard).toEqual([]);
  });

  test("does not go to a proxy named in the environment", async () => {
    const before = process.env.http_proxy;
    process.env.http_proxy = "http://127.0.0.1:1";
    const tcp = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("direct") });
    try {
      const environment = { WEAVE_RUN_DIR: "", WEAVE_HTTP_ADDR: `127.0.0.1:${tcp.port}` };
      expect(await ask({ path: ["x"] }, environment)).toBe("direct");
    } finally {
      await tcp.stop(true);
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
    }
  });
});

describe("an error", () => {
  test("keeps the router's text", async () => {
    const plain = await failure(ask({ method: "POST", path: ["connect"] }));
    expect(plain).toMatchObject({ kind: "refused", status: 400, message: "bad name" });
    const structured = await failure(ask({ method: "POST", path: ["attach", "c"] }));
    expect(structured).toMatchObject({ kind: "refused", code: "X_Y", message: "no", remedy: "do" });
    expect((await failure(ask({ path: ["odd"] }))).message).toContain("HTTP status 500");
  });

  test("of a missing route means that the feature is off", async () => {
    const missing = await failure(ask({ path: ["ring"], feature: "address allocation" }));
    expect(missing).toMatchObject({
      kind: "feature-off",
      message: "the router runs without address allocation",
    });
    expect((await failure(ask({ path: ["dns-lookup", "n"] }))).kind).toBe("feature-off");
    expect((await failure(ask({ path: ["ps"] }))).kind).toBe("refused");
  });

  test("of whoever takes the answer is that one's, and no fault of the router", async () => {
    const received = (): void => {
      throw new Error("no space left");
    };
    await expect(ask({ path: ["domain"], received })).rejects.toThrow(/^no space left$/);
  });

  test("of an absent or dead router says how to start it", async () => {
    const stale = join(folder, "stale");
    const places = [
      { WEAVE_RUN_DIR: join(folder, "absent") },
      { WEAVE_RUN_DIR: "", WEAVE_HTTP_ADDR: "127.0.0.1:1" },
    ];
    for (const place of places) {
      const error = await failure(ask({ path: ["status"] }, place));
      expect(error).toMatchObject({ kind: "unreachable", code: "API_NOT_RUNNING" });
      expect(error.remedy).toBe("start it with 'weave launch'");
    }
    writeFileSync(stale, "");
    const error = await failure(
      ask({ path: ["status"] }, { WEAVE_RUN_DIR: "", WEAVE_HTTP_ADDR: stale }),
    );
    expect(error.code).toBe("API_NOT_RUNNING");
  });

  test("of a router that hangs, babbles or breaks off is told apart from an absent one", async () => {
    const replies: Array<string | undefined> = [undefined, "babble\r\n\r\n", ""];
    for (const reply of replies) {
      const hanging: Server = createServer((socket) => {
        socket.on("error", () => {});
        if (reply === "") socket.destroy();
        else if (reply !== undefined) socket.end(reply);
      });
      const path = join(folder, `hanging${replies.indexOf(reply)}`);
      await new Promise<void>((resolve) => hanging.listen(path, resolve));
      const error = await failure(
        ask({ path: ["status"], waitMs: 50 }, { WEAVE_RUN_DIR: "", WEAVE_HTTP_ADDR: path }),
      );
      expect(error).toMatchObject({ kind: "unreachable", code: "API_BROKEN_OFF" });
      hanging.close();
    }
  });
});

describe("a request says", () => {
  const run = () => ({ WEAVE_RUN_DIR: folder });

  test("who runs it, behind sudo too", async () => {
    await ask({ path: ["domain"] }, { ...run(), SUDO_USER: "alice" });
    expect(headers.get("Weave-Caller")).toBe(`cli; pid=${process.pid}; user=alice`);
    await httpApiClient(run(), "cni").request({ method: "GET", path: ["domain"] });
    expect(headers.get("Weave-Caller")).toStartWith(`cni; pid=${process.pid}; user=`);
  });

  test("which trace it is a part of, if its environment does", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await ask({ path: ["domain"] }, { ...run(), TRACEPARENT: traceparent });
    expect(headers.get("traceparent")).toBe(traceparent);
    for (const TRACEPARENT of ["", "nonsense", `${traceparent}\r\nX: y`]) {
      await ask({ path: ["domain"] }, { ...run(), TRACEPARENT });
      expect(headers.get("traceparent")).toBeNull();
    }
  });
});
