import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { WeaveError } from "../../../lib/base/errors.ts";
import { silentLog } from "../../../lib/base/world.ts";
import { noTracer, RecordingTracer, type Tracer } from "../../../lib/daemon/tracing/tracer.ts";
import { Conversation, type Interception } from "../../../lib/docker/proxy/exchange.ts";
import type { SpanRecord } from "../../../lib/wire/otlp-trace.ts";
import { loneWorld } from "../../sim/world.ts";
import { MemoryStream } from "./memory-stream.ts";

/** A client and an engine with the proxy between them. */
function conversation(
  intercept: (method: string, target: string) => Interception | undefined,
  tracer: Tracer = noTracer,
) {
  const [client, clientEnd] = MemoryStream.pair();
  const [engineEnd, engine] = MemoryStream.pair();
  let dialled = 0;
  const over = new Conversation(clientEnd, {
    tracer,
    async dial() {
      dialled++;
      return engineEnd;
    },
    intercept,
    log: silentLog,
  }).run();
  return { client, engine, over, dialled: () => dialled };
}

const passing = () => conversation(() => undefined);
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const textOf = (data: Uint8Array) => Buffer.from(data).toString();

const ping = "HEAD /_ping HTTP/1.1\r\nHost: api.moby.localhost\r\n\r\n";
const pong = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\nOstype: linux\r\n\r\n";

test("a request that is worth it is traced as a part of its caller's trace, others are not", async () => {
  const spans: SpanRecord[] = [];
  const tracer = new RecordingTracer(loneWorld(1).world, (span) => void spans.push(span));
  const intercept = (method: string) =>
    method === "POST" ? { route: "/containers/{id}/start" } : { answered: async () => [] };
  const { client, engine, over } = conversation(intercept, tracer);
  const caller = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"] as const;
  const traceparent = `Traceparent: 00-${caller.join("-")}-01\r\n`;
  for (const [method, answer] of [
    ["POST", "HTTP/1.1 304 Not Modified\r\n\r\n"],
    ["HEAD", pong],
  ] as const) {
    const request = `${method} /containers/c1/start HTTP/1.1\r\nHost: x\r\n${traceparent}\r\n`;
    void client.send(request);
    expect(await engine.until("\r\n\r\n")).toBe(request);
    void engine.send(answer);
    await client.until("\r\n\r\n");
  }
  client.end();
  await over;
  const attributes = {
    ...{ "http.request.method": "POST", "http.route": "/containers/{id}/start" },
    ...{ "weave.caller": "proxy", "http.response.status_code": 304 },
  };
  expect(spans).toMatchObject([
    { name: "POST /containers/{id}/start", kind: "server", attributes, parentSpanId: caller[1] },
  ]);
});

describe("a request that concerns nobody", () => {
  test("and its answer pass octet for octet, and so does the next", async () => {
    const { client, engine, over, dialled } = passing();
    const get = "GET /v1.41/info?x=1 HTTP/1.1\r\nhost:x\r\nX-Odd:   y \r\n\r\n";
    const info = "HTTP/1.1 200 OK\r\ncontent-length:4\r\n\r\n{}\r\n";
    for (const [request, answer] of [
      [ping, pong],
      [get, info],
    ] as const) {
      void client.send(request);
      expect(await engine.until("\r\n\r\n")).toBe(request);
      void engine.send(answer);
      expect(await client.until(answer.slice(-4))).toBe(answer);
    }
    client.end();
    await over;
    expect(dialled()).toBe(1);
  });

  test("may be cut anywhere, with its body and the next request behind it", async () => {
    const put =
      "PUT /v1.41/containers/c/archive?path=/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "3;a=b\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nTrail: er\r\n\r\n";
    const both = put + ping;
    const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
        async (pieces) => {
          const { client, engine, over } = passing();
          const sending = (async () => {
            for (let at = 0, piece = 0; at < both.length; piece++) {
              const end = at + pieces[piece % pieces.length]!;
              await client.send(both.slice(at, end));
              at = end;
            }
          })();
          expect(await engine.until("Trail: er\r\n\r\n")).toBe(put);
          void engine.send(answer);
          expect(await client.until("0\r\n\r\n")).toBe(answer);
          expect(await engine.until("\r\n\r\n")).toBe(ping);
          void engine.send(pong);
          expect(await client.until("\r\n\r\n")).toBe(pong);
          await sending;
          client.end();
          await over;
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });

  test("has an answer that comes while its body still goes", async () => {
    const { client, engine, over } = passing();
    void client.send(
      "POST /v1.41/build HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
    );
    await engine.until("a\r\n");
    void engine.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nStep\r\n");
    await client.until("Step\r\n");
    void client.send("1\r\nb\r\n0\r\n\r\n");
    await engine.until("0\r\n\r\n");
    void engine.send("0\r\n\r\n");
    await client.until("0\r\n\r\n");
    client.end();
    await over;
  });

  test("waits for the engine to say that it may go on", async () => {
    const { client, engine, over } = passing();
    const put = "PUT /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    void client.send(put);
    expect(await engine.until("\r\n\r\n")).toBe(put);
    void engine.send("HTTP/1.1 100 Continue\r\n\r\n");
    expect(await client.until("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    void client.send("ab");
    await engine.until("ab");
    void engine.send("HTTP/1.1 204 No Content\r\n\r\n");
    expect(await client.until("\r\n\r\n")).toBe("HTTP/1.1 204 No Content\r\n\r\n");
    client.end();
    await over;
  });

  test("has a large answer of which little waits here at a time", async () => {
    const { client, engine, over } = passing();
    void client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    await engine.until("\r\n\r\n");
    const part = 64 << 10;
    const size = (64 * part).toString(16);
    void (async () => {
      await engine.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n`);
      for (let n = 0; n < 64; n++) await engine.send("x".repeat(part));
      await engine.send("\r\n0\r\n\r\n");
    })();
    await client.until("\r\n0\r\n\r\n");
    expect(client.waitingMax).toBeLessThanOrEqual(part + 100);
    client.end();
    await over;
  });

  test("is given up when its client is gone", async () => {
    const { client, engine, over } = passing();
    void client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    await engine.until("\r\n\r\n");
    client.close();
    await engine.ended;
    engine.close();
    await over;
  });

  test("of an old client names no socket as host", async () => {
    const { client, engine, over } = passing();
    void client.send("GET / HTTP/1.1\r\nHost: /var/run/weave.sock\r\nA: b\r\n\r\n");
    expect(await engine.until("\r\n\r\n")).toBe("GET / HTTP/1.1\r\nA: b\r\nHost: docker\r\n\r\n");
    engine.close();
    await over;
  });

  test("may have a head with all that its client knows of registries", async () => {
    const { client, engine, over } = passing();
    const build = `POST /build HTTP/1.1\r\nHost: x\r\nX-Registry-Config: ${"y".repeat(900_000)}\r\n\r\n`;
    void client.send(build);
    expect(await engine.until("\r\n\r\n")).toBe(build);
    engine.close();
    await over;
  });

  test("has its end told in one way, whatever its client says", async () => {
    const { client, engine, over } = passing();
    const length = "Content-Length: 4\r\n";
    const post = `POST /build HTTP/1.1\r\nHost: x\r\n${length}Transfer-Encoding: chunked\r\n\r\n`;
    const chunks = `1\r\na\r\n0\r\n\r\n`;
    void client.send(post + chunks + ping);
    expect(await engine.until("0\r\n\r\n")).toBe(post.replace(length, "") + chunks);
    void engine.send("HTTP/1.1 204 No Content\r\n\r\n");
    await client.until("\r\n\r\n");
    expect(await engine.until("\r\n\r\n")).toBe(ping);
    engine.close();
    await over;
  });

  test("ends its client's connection where the engine ends its own", async () => {
    const { client, engine, over } = passing();
    void client.send(ping);
    await engine.until("\r\n\r\n");
    void engine.send(pong);
    await client.until("\r\n\r\n");
    engine.end();
    expect(await client.rest()).toBe("");
    await over;
  });
});

describe("a connection that is taken over", () => {
  const upgrade =
    "POST /v1.41/exec/e/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n" +
    'Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{"Detach":true}';
  const taken =
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n" +
    "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

  test("carries octets both ways, and the end of each by itself", async () => {
    const { client, engine, over } = passing();
    void client.send(upgrade);
    expect(await engine.until("true}")).toBe(upgrade);
    void engine.send(`${taken}early`);
    expect(await client.until("early")).toBe(`${taken}early`);
    void client.send("POST /containers/create HTTP/1.1\r\n\r\ninput");
    client.end();
    expect(await engine.rest()).toBe("POST /containers/create HTTP/1.1\r\n\r\ninput");
    void engine.send("output after the end of the input");
    await client.until("the input");
    engine.end();
    expect(await client.rest()).toBe("");
    await over;
  });

  test("may be one whose answer has no length, as for clients without upgrade", async () => {
    const { client, engine, over } = passing();
    const attach = "POST /v1.24/containers/c/attach?stdin=1 HTTP/1.1\r\nHost: x\r\n\r\n";
    void client.send(attach);
    expect(await engine.until("\r\n\r\n")).toBe(attach);
    const head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";
    void engine.send(head);
    expect(await client.until("\r\n\r\n")).toBe(head);
    void client.send("in");
    client.end();
    expect(await engine.rest()).toBe("in");
    void engine.send("out");
    engine.end();
    expect(await client.rest()).toBe("out");
    await over;
  });

  test("is closed for who sends when nobody reads any more", async () => {
    const { client, engine, over } = passing();
    void client.send(upgrade);
    await engine.until("true}");
    void engine.send(taken);
    await client.until("\r\n\r\n");
    engine.close();
    expect(await client.rest()).toBe("");
    client.close();
    await over;
  });
});

const create = "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";

describe("a request that is edited", () => {
  test("has the length of its new body, and the rest of its head as it was", async () => {
    const { client, engine, over } = conversation(() => ({
      request: async (body) => bytes(`[${textOf(body)}]`),
    }));
    void client.send(
      "POST /c HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    );
    expect(await engine.until("]")).toBe(
      "POST /c HTTP/1.1\r\nhost: x\r\nX: y\r\nContent-Length: 4\r\n\r\n[{}]",
    );
    client.close();
    engine.close();
    await over;
  });

  test("that needs no edit passes as it came", async () => {
    const { client, engine, over } = conversation(() => ({ request: async () => undefined }));
    void client.send(create);
    expect(await engine.until("{}")).toBe(create);
    client.close();
    engine.close();
    await over;
  });

  test("is asked for by the proxy where a client waits for that", async () => {
    const { client, engine, over } = conversation(() => ({ request: async () => undefined }));
    void client.send(create.replace("Host: x\r\n", "Expect: 100-continue\r\n").slice(0, -2));
    expect(await client.until("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    void client.send("{}");
    expect(await engine.until("{}")).not.toContain("Expect");
    client.close();
    engine.close();
    await over;
  });

  test("and refused is answered as an engine would, and the connection goes on", async () => {
    const { client, over, dialled } = conversation(() => ({
      async request() {
        throw new WeaveError("IMAGE_UNKNOWN", "No such image: bb", { remedy: "pull it" });
      },
    }));
    for (const _round of [1, 2]) {
      void client.send(create);
      const answer = await client.until("}\n");
      expect(answer).toStartWith("HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n");
      expect(answer).toEndWith('\r\n\r\n{"message":"No such image: bb; pull it"}\n');
    }
    expect(dialled()).toBe(0);
    client.end();
    await over;
  });

  test("is refused when it is too long to be held", async () => {
    const { client, over } = conversation(() => ({ request: async () => undefined }));
    void client.send(create.replace("Content-Length: 2", "Content-Length: 5000000"));
    expect(await client.until("}\n")).toStartWith("HTTP/1.1 413 Content Too Large\r\n");
    client.close();
    await over;
  });
});

describe("an answer that is held", () => {
  const answer = "HTTP/1.1 204 No Content\r\nServer: Docker\r\n\r\n";

  async function held(answered: Interception["answered"]) {
    let over = 0;
    const parts = conversation(() => ({
      request: async () => undefined,
      ...(answered && { answered }),
      over: () => over++,
    }));
    void parts.client.send(create);
    await parts.engine.until("{}");
    return { ...parts, timesOver: () => over };
  }

  test("goes on when it is released, with what is to be told", async () => {
    const release = Promise.withResolvers<[string, string][]>();
    const { client, engine, over, timesOver } = await held(() => release.promise);
    void engine.send(answer);
    release.resolve([["Warning", '299 weave "late"']]);
    expect(await client.until("\r\n\r\n")).toBe(
      answer.replace("\r\n\r\n", '\r\nWarning: 299 weave "late"\r\n\r\n'),
    );
    client.end();
    await over;
    expect(timesOver()).toBeGreaterThan(0);
  });

  test("is replaced by what went wrong", async () => {
    const { client, engine, over } = await held(async () => {
      throw new WeaveError("IPAM_BUSY", "no address is left");
    });
    void engine.send(answer);
    expect(await client.rest()).toEndWith('{"message":"no address is left"}\n');
    client.close();
    await over;
  });

  test("is held no more when its client is gone", async () => {
    const release = Promise.withResolvers<[string, string][]>();
    const { client, engine, over, timesOver } = await held(() => release.promise);
    void engine.send(answer);
    client.close();
    await engine.ended;
    expect(timesOver()).toBe(1);
    release.resolve([]);
    await over;
  });
});

describe("an answer that is edited", () => {
  test("has the length of its new body", async () => {
    const { client, engine, over } = conversation(() => ({
      answer: async (body, status) => bytes(`${status}${textOf(body)}`),
    }));
    void client.send("GET /c HTTP/1.1\r\nHost: x\r\n\r\n");
    await engine.until("\r\n\r\n");
    void engine.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    expect(await client.until("{}")).toBe("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n200{}");
    client.close();
    engine.close();
    await over;
  });

  const part = "x".repeat(1 << 20);
  const chunk = `100000\r\n${part}\r\n`;
  test.each([
    `Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}0\r\n\r\n`,
    `Content-Length: ${part.length * 5 + 4}\r\n\r\n${part.repeat(5)}\r\n\r\n`,
  ])("passes as it is where it is too long to be held: %#", async (rest) => {
    const { client, engine, over } = conversation(() => ({ answer: async () => bytes("edited") }));
    void client.send("GET /c HTTP/1.1\r\nHost: x\r\n\r\n");
    await engine.until("\r\n\r\n");
    const long = `HTTP/1.1 200 OK\r\n${rest}`;
    void engine.send(long);
    expect(await client.until("\r\n\r\n")).toBe(long.slice(0, long.indexOf("\r\n\r\n") + 4));
    expect(await client.until("\r\n\r\n")).toBe(long.slice(long.indexOf("\r\n\r\n") + 4));
    void client.send(ping);
    await engine.until("\r\n\r\n");
    client.close();
    engine.close();
    await over;
  });
});

describe("what is no request", () => {
  test.each([
    ["GET /\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400],
    ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n", 400],
    [`GET / HTTP/1.1\r\nX: ${"y".repeat(1_100_000)}\r\n\r\n`, 431],
  ])("is refused: %#", async (text, status) => {
    const { client, over } = passing();
    void client.send(text);
    expect(await client.rest()).toStartWith(`HTTP/1.1 ${status} `);
    client.close();
    await over;
  });

  test("a request to no engine is refused with a sentence", async () => {
    const [client, clientEnd] = MemoryStream.pair();
    const over = new Conversation(clientEnd, {
      tracer: noTracer,
      async dial() {
        throw new WeaveError("ENGINE_UNREACHABLE", "Could not connect to target: x");
      },
      intercept: () => undefined,
      log: silentLog,
    }).run();
    void client.send(ping);
    expect(await client.rest()).toContain('{"message":"Could not connect to target: x"}');
    client.close();
    await over;
  });
});

describe("a conversation that is to end", () => {
  function retiring() {
    const [client, clientEnd] = MemoryStream.pair();
    const [engineEnd, engine] = MemoryStream.pair();
    const conversation = new Conversation(clientEnd, {
      tracer: noTracer,
      dial: async () => engineEnd,
      intercept: () => undefined,
      log: silentLog,
    });
    return { client, engine, conversation, over: conversation.run() };
  }

  test("ends at once where nothing is asked", async () => {
    const { client, conversation, over } = retiring();
    conversation.retire();
    expect(await client.rest()).toBe("");
    await over;
  });

  test("ends after the answer that is on its way", async () => {
    const { client, engine, conversation, over } = retiring();
    void client.send(ping);
    await engine.until("\r\n\r\n");
    conversation.retire();
    void engine.send(pong);
    expect(await client.rest()).toBe(pong);
    client.close();
    await over;
  });
});
