import { describe, expect, test } from "bun:test";
import { listen } from "../../lib/api/listen.ts";
import { fromUtf8, utf8 } from "../../lib/base/bytes.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { chunks, mutants } from "../fuzz/mutate.ts";
import { RawClient } from "./raw-client.ts";
import { requestOf, requests, wellFormed } from "./requests.ts";
import { Alone } from "./test-router.ts";

describe("twenty thousand damaged requests", () => {
  const corpus = requests.map(utf8);
  const perRouter = 800;
  const routers = 40;

  test("get well-formed answers, leave nothing waiting, and take no memory", async () => {
    let sent = 0;
    let heapBefore = 0;
    for (let number = 0; number < routers; number++) {
      const alone = new Alone();
      for (const mutant of mutants(number, corpus, perRouter)) {
        const gone = new AbortController();
        const request = requestOf(mutant, gone.signal);
        if (request === undefined) continue;
        sent++;
        try {
          const answer = Promise.resolve(alone.app.fetch(request));
          // An exhausted subnet makes a request wait, until its client has had enough.
          setImmediate(() => gone.abort());
          await wellFormed(request, await answer);
        } catch (cause) {
          throw new Error(`seed ${number}: ${mutant.toHex()}`, { cause });
        }
      }
      const { pendingAllocations, pendingClaims } = alone.router.ipam!.allocator.status();
      expect([...pendingAllocations, ...pendingClaims]).toEqual([]);
      if (number === routers / 2) heapBefore = heapBytes();
    }
    expect(sent).toBeGreaterThan(20_000);
    expect(heapBytes() - heapBefore).toBeLessThan(16 << 20);
  }, 60_000);

  test("cover every route", async () => {
    const { app } = new Alone();
    const shapes = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(
        ({ path, method }) =>
          new RegExp(`^${method} ${path.replace(/:\w+/g, "[^/?\\s]+")}(?![^?\\n])`),
      );
    expect(shapes.filter((shape) => !requests.some((text) => shape.test(text)))).toEqual([]);
  });
});

function heapBytes(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

describe("damaged bytes on TCP", () => {
  const corpus = requests.map((text) => {
    const [head = "", body = ""] = text.split("\n\n");
    const [line = "", ...headers] = head.split("\n");
    const all = [
      `${line} HTTP/1.1`,
      "Host: localhost",
      ...headers,
      `Content-Length: ${body.length}`,
    ];
    return utf8(`${all.join("\r\n")}\r\n\r\n${body}`);
  });

  test("get answers of HTTP or none, and the listener stays", async () => {
    const random = seededRandom(1);
    const { app } = new Alone();
    const listener = listen(app, "127.0.0.1:0");
    let answered = 0;
    for (const mutant of mutants(1, corpus, 1500)) {
      const client = new RawClient(listener);
      for (const piece of chunks(random, mutant)) client.send(piece);
      await client.end();
      if (client.received === "") continue;
      answered++;
      const status = Number(/^HTTP\/1\.1 (\d{3}) [ -~]*\r\n/.exec(client.received)?.[1]);
      // 505 is for whoever damaged the version; 500 for a template that fails as it runs.
      const isRight = status < 500 || status === 505 || fromUtf8(mutant).includes("format=");
      if (!isRight) throw new Error(`${mutant.toHex()} got ${client.received}`);
    }
    expect(answered).toBeGreaterThan(1000);
    const healthy = await fetch(`http://${listener.address}/domain`);
    expect(await healthy.text()).toBe("weave.local.");
    await listener.close();
  }, 60_000);
});
