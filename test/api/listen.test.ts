import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { metricsApp, statusApp } from "../../lib/api/app.ts";
import { type Listener, listen } from "../../lib/api/listen.ts";
import { errorCode } from "../../lib/base/errors.ts";
import { placeOf, RawClient } from "./raw-client.ts";
import { Alone } from "./test-router.ts";

const folder = mkdtempSync(join(tmpdir(), "weave-api-"));
afterAll(() => rmSync(folder, { recursive: true }));

const anyPort = "127.0.0.1:0";
const forQuorum = {
  ipalloc: {
    range: "10.2.0.0/16",
    rangeGiven: true,
    defaultSubnet: "10.2.0.0/16",
    init: "consensus=2",
  },
};

async function serving(
  address: string,
  action: (listener: Listener, alone: Alone) => Promise<void>,
  alone = new Alone(),
): Promise<void> {
  const listener = listen(alone.app, address);
  try {
    await action(listener, alone);
  } finally {
    await listener.close();
  }
}

function get(listener: Listener, path: string, init: RequestInit = {}): Promise<Response> {
  const place = placeOf(listener);
  return "path" in place
    ? fetch(`http://localhost${path}`, { ...init, unix: place.path })
    : fetch(`http://${listener.address}${path}`, init);
}

function refusal(action: () => Listener): string {
  try {
    action();
    return "it listens";
  } catch (error) {
    return `${errorCode(error)}: ${error instanceof Error ? error.message : ""}`;
  }
}

describe("a unix socket", () => {
  const path = join(folder, "weave.sock");

  test("serves the control API, for its owner alone, and goes with the listener", async () => {
    await serving(path, async (listener) => {
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(await (await get(listener, "/domain")).text()).toBe("weave.local.");
      expect(await (await get(listener, "/nowhere")).text()).toBe("404 page not found\n");
    });
    expect(existsSync(path)).toBe(false);
  });

  test("takes the place of one that a dead router left", async () => {
    const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    await Bun.spawn([process.execPath, "-e", script]).exited;
    expect(statSync(path).isSocket()).toBe(true);
    await serving(path, async (listener) => {
      expect((await get(listener, "/status")).status).toBe(200);
    });
  });

  test("never takes the place of a file", () => {
    const file = join(folder, "precious");
    writeFileSync(file, "data");
    expect(refusal(() => listen(new Alone().app, file))).toBe(
      `API_LISTEN: cannot listen on ${file}: a file is there that is no socket`,
    );
    expect(statSync(file).size).toBe(4);
  });

  test("that cannot be made is an error", () => {
    expect(refusal(() => listen(new Alone().app, join(folder, "none/weave.sock")))).toStartWith(
      "API_LISTEN: cannot listen on",
    );
  });

  test("answers whatever the request calls this host", async () => {
    await serving(path, async (listener) => {
      const headers = { Host: "weave", Origin: "http://example.com" };
      expect((await get(listener, "/domain", { headers })).status).toBe(200);
    });
  });

  test("serves status and metrics as well", async () => {
    const { router } = new Alone();
    for (const app of [statusApp(router), metricsApp(router)]) {
      const listener = listen(app, path, { isPublic: true });
      expect((await get(listener, "/metrics")).status).toBe(200);
      expect((await get(listener, "/ip")).status).toBe(404);
      await listener.close();
    }
  });
});

describe("a TCP address", () => {
  test("serves the control API, with the answers that a unix socket gives", async () => {
    await serving(anyPort, async (listener) => {
      expect(await (await get(listener, "/domain")).text()).toBe("weave.local.");
      const unknown = await get(listener, "/nowhere");
      expect([unknown.status, await unknown.text()]).toEqual([404, "404 page not found\n"]);
      expect((await get(listener, "/domain", { method: "HEAD" })).status).toBe(405);
    });
  });

  test("in use is an error that says what to do", async () => {
    await serving(anyPort, async (listener) => {
      const said = refusal(() => listen(new Alone().app, listener.address));
      expect(said).toStartWith(`API_LISTEN: cannot listen on ${listener.address}`);
    });
  });

  test("without port, or with one beyond 65535, is an error", () => {
    for (const address of ["127.0.0.1", "", "127.0.0.1:65536", "a b:1"]) {
      expect(refusal(() => listen(new Alone().app, address))).toStartWith("API_LISTEN");
    }
  });

  test("can be used again once it is closed, and open requests end with it", async () => {
    let address = "";
    let waiting: RawClient | undefined;
    await serving(
      anyPort,
      async (listener, alone) => {
        address = listener.address;
        waiting = new RawClient(listener);
        waiting.send("POST /ip/c1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        await pendingCount(alone, 1);
      },
      new Alone(forQuorum),
    );
    await waiting!.closed;
    await serving(address, async (listener) => {
      expect((await get(listener, "/domain")).status).toBe(200);
    });
  });
});

describe("browsers", () => {
  const refused: ReadonlyArray<readonly [string, Record<string, string>]> = [
    ["a page's own request", { Origin: "http://example.com" }],
    ["a sandboxed page's request", { Origin: "null" }],
    ["an image or a form of a page", { "Sec-Fetch-Site": "cross-site" }],
    ["a page after DNS rebinding", { Host: "example.com:6784" }],
    ["a name that begins like an address", { Host: "127.0.0.1.example.com" }],
    ["no proper host at all", { Host: "127.0.0.1:6784:80" }],
  ];
  for (const [who, headers] of refused) {
    test(`are refused on TCP: ${who}`, async () => {
      await serving(anyPort, async (listener, alone) => {
        const answer = await get(listener, "/ip/c1", { method: "POST", headers });
        expect(answer.status).toBe(403);
        expect(await answer.text()).toMatch(/^requests (from web pages|for host ".*") are refused/);
        expect(alone.router.ipam!.allocator.list()).toEqual([]);
      });
    });
  }

  for (const Host of ["127.0.0.1:6784", "localhost", "localhost:6784", "[::1]:6784", "10.0.0.1"]) {
    test(`are not suspected behind a request for ${Host}`, async () => {
      await serving(anyPort, async (listener) => {
        const headers = { Host, "Sec-Fetch-Site": "none" };
        expect((await get(listener, "/domain", { headers })).status).toBe(200);
      });
    });
  }

  test("name a host, which older programs do not", async () => {
    await serving(anyPort, async (listener) => {
      const client = new RawClient(listener);
      client.send("GET /name?x=1 HTTP/1.0\r\nAccept: application/json\r\n\r\n");
      const answer = await client.until(/\r\n\r\n./);
      expect(answer).toMatch(/^HTTP\/1\.[01] 200 /);
      expect(answer).toEndWith("\r\n\r\n[]\n");
      await client.disconnect();
    });
  });

  test("and scrapers may call a public address by any name", async () => {
    const listener = listen(metricsApp(new Alone().router), anyPort, { isPublic: true });
    const answer = await get(listener, "/metrics", { headers: { Host: "node7.example.com:6782" } });
    expect(answer.status).toBe(200);
    await listener.close();
  });
});

describe("a body", () => {
  test("beyond a mebibyte is refused before it is read", async () => {
    await serving(anyPort, async (listener) => {
      const client = new RawClient(listener);
      const type = "Content-Type: application/x-www-form-urlencoded";
      client.send(
        `POST /forget HTTP/1.1\r\nHost: localhost\r\n${type}\r\nContent-Length: ${1 << 30}\r\n\r\n`,
      );
      expect(await client.until(/\r\n\r\n/)).toStartWith("HTTP/1.1 413 ");
      await client.disconnect();
    });
  });

  test("beyond a mebibyte is refused when its length is not announced, too", async () => {
    await serving(anyPort, async (listener, alone) => {
      const client = new RawClient(listener);
      const head = "POST /connect HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n";
      client.send(`${head}Content-Type: application/x-www-form-urlencoded\r\n\r\n`);
      const chunk = `peer=${"x".repeat(65_530)}&`;
      for (let sent = 0; sent < 2 << 20; sent += chunk.length) {
        client.send(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
      }
      client.send("0\r\n\r\n");
      expect(await client.until(/\r\n\r\n/)).not.toStartWith("HTTP/1.1 2");
      expect(alone.router.peer.plane.mesh.targets).toEqual([]);
      await client.disconnect();
    });
  });
});

describe("a request that waits", () => {
  for (const address of [join(folder, "wait.sock"), anyPort]) {
    const kind = address.startsWith("/") ? "a unix socket" : "TCP";

    test(`on ${kind} is given up when its client goes`, async () => {
      await serving(
        address,
        async (listener, alone) => {
          for (const line of ["POST /ip/c1", "PUT /ip/c2/10.2.0.9/16", "GET /ring"]) {
            const client = new RawClient(listener);
            client.send(`${line} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
            await pendingCount(alone, 1);
            await client.disconnect();
            await pendingCount(alone, 0);
          }
          // Nobody is left to get an address once there is a quorum.
          alone.cluster.start(2, ["10.0.0.1"]);
          await alone.cluster.runUntil("a ring", () => hasRing(alone), 60_000);
          expect(alone.router.ipam!.allocator.list()).toEqual([]);
        },
        new Alone(forQuorum),
      );
    });

    test(`on ${kind} is answered when there is a quorum`, async () => {
      await serving(
        address,
        async (listener, alone) => {
          const answer = get(listener, "/ip/c1", { method: "POST" });
          await pendingCount(alone, 1);
          alone.cluster.start(2, ["10.0.0.1"]);
          await alone.cluster.runUntil("a ring", () => hasRing(alone), 60_000);
          expect(await (await answer).text()).toMatch(/^10\.2\.\d+\.\d+\/16$/);
        },
        new Alone(forQuorum),
      );
    });
  }

  test("outlasts every limit on silence, which ends connections without request, or with half of one", async () => {
    const alone = new Alone(forQuorum);
    const listeners = [join(folder, "long.sock"), anyPort].map((at) => listen(alone.app, at));
    const silent = listeners.map((listener) => new RawClient(listener));
    const waiting = listeners.map((listener, at) => {
      const client = new RawClient(listener);
      client.send(`POST /ip/c${at} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      return client;
    });
    await pendingCount(alone, 2);
    const halves = listeners.map((listener) => {
      const client = new RawClient(listener);
      client.send("POST /attach/c1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{");
      return client;
    });
    const answered = new RawClient(listeners[1]!);
    answered.send("GET /domain HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await Promise.all([...silent, ...halves, answered].map((client) => client.closed));
    expect(answered.received).toEndWith("weave.local.");
    for (const { received } of halves) expect(received).toStartWith("HTTP/1.1 408 ");
    expect(waiting.map((client) => client.isClosed)).toEqual([false, false]);
    alone.cluster.start(2, ["10.0.0.1"]);
    await alone.cluster.runUntil("a ring", () => hasRing(alone), 60_000);
    for (const client of waiting) {
      expect(await client.until(/\/16$/)).toStartWith("HTTP/1.1 200 OK\r\n");
      await client.disconnect();
    }
    for (const listener of listeners) await listener.close();
  }, 30_000);
});

function hasRing({ router }: Alone): boolean {
  return router.ipam!.allocator.status().ranges !== undefined;
}

/** Waits until so many requests wait for a ring. */
async function pendingCount({ router }: Alone, count: number): Promise<void> {
  for (;;) {
    const status = router.ipam!.allocator.status();
    const { pendingAllocations, pendingClaims, pendingPrimes } = status;
    if (pendingAllocations.length + pendingClaims.length + pendingPrimes === count) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
