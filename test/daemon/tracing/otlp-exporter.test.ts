import { afterEach, describe, expect, test } from "bun:test";
import { type Log, silentLog } from "../../../lib/base/world.ts";
import {
  attemptsMax,
  batchMax,
  OtlpExporter,
  type SendOutcome,
  waitingMax,
} from "../../../lib/daemon/tracing/otlp-exporter.ts";
import { postTraces } from "../../../lib/daemon/tracing/otlp-request.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import type { SpanRecord } from "../../../lib/wire/otlp-trace.ts";

const span: SpanRecord = {
  ...{ traceId: "1".repeat(32), spanId: "2".repeat(16), name: "s", kind: "internal" },
  ...{ startNs: 1n, endNs: 2n, attributes: {}, events: [] },
};

function setUp(answers: (SendOutcome | Error)[], log: Log = silentLog) {
  const clock = new VirtualClock();
  const world = Object.assign(new SimWorld(clock, 1), { log });
  const sizes: number[] = [];
  const exporter = new OtlpExporter({
    ...{ world, endpoint: "http://collector/v1/traces", resource: {} },
    async send(body) {
      sizes.push(body.split('"spanId"').length - 1);
      const answer = answers.shift() ?? { status: 200 };
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  /** Lets time pass, and what was begun come to its end. */
  const pass = async (ms: number): Promise<void> => {
    for (let step = 0; step < 20; step++) {
      clock.run(ms / 20);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  };
  const take = (count: number): void => {
    for (let number = 0; number < count; number++) exporter.take(span);
  };
  return { exporter, sizes, pass, take };
}

describe("spans are sent", () => {
  test("together, some seconds after the first or when there are many", async () => {
    const { exporter, sizes, pass, take } = setUp([]);
    take(3);
    await pass(4_000);
    expect(sizes).toEqual([]);
    await pass(2_000);
    expect(sizes).toEqual([3]);
    take(batchMax + 7);
    await pass(20);
    expect(sizes).toEqual([3, batchMax, 7]);
    expect(exporter.status()).toEqual({ sent: batchMax + 10, dropped: 0, waiting: 0 });
  });

  test.each([429, 502, 503, 504])(
    "again after a while when the collector says %d",
    async (status) => {
      const { exporter, sizes, pass, take } = setUp([{ status }, { status, retryAfter: "20" }]);
      take(2);
      await pass(8_000);
      expect(sizes).toEqual([2, 2]);
      await pass(10_000);
      expect(sizes).toEqual([2, 2]);
      await pass(15_000);
      expect(sizes).toEqual([2, 2, 2]);
      expect(exporter.status()).toEqual({ sent: 2, dropped: 0, waiting: 0 });
    },
  );

  test("a bounded number of times, and what is refused otherwise is dropped", async () => {
    const busy = Array.from({ length: attemptsMax }, () => ({
      status: 503,
      retryAfter: "9999999",
    }));
    const { exporter, sizes, pass, take } = setUp([...busy, { status: 400 }, { status: 302 }]);
    take(2);
    await pass(300_000);
    expect(sizes).toHaveLength(attemptsMax);
    expect(exporter.status()).toMatchObject({ dropped: 2 });
    for (const count of [1, 1]) {
      take(count);
      await pass(6_000);
    }
    expect(sizes).toHaveLength(attemptsMax + 2);
    expect(exporter.status()).toEqual({
      ...{ sent: 0, dropped: 4, waiting: 0 },
      trouble: "the collector answers with status 302",
    });
  });

  test("and those that are rejected of a batch are counted", async () => {
    const { exporter, pass, take } = setUp([{ status: 200, rejected: 2 }]);
    take(5);
    await pass(6_000);
    expect(exporter.status()).toEqual({ sent: 3, dropped: 2, waiting: 0 });
  });

  test("and none is counted twice by a collector that rejects more than it was sent", async () => {
    const { exporter, pass, take } = setUp([{ status: 200, rejected: 1000 }]);
    take(5);
    await pass(6_000);
    expect(exporter.status()).toEqual({ sent: 0, dropped: 5, waiting: 0 });
  });

  test("at the end, once and without waiting for long", async () => {
    const { exporter, sizes, take } = setUp([{ status: 503 }]);
    take(4);
    await exporter.stop();
    expect(sizes).toEqual([4]);
    expect(exporter.status()).toMatchObject({ sent: 0, dropped: 4, waiting: 0 });
  });
});

test("a collector that is away costs a bounded room, and is told of once", async () => {
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  const gone = () => new Error("connection refused");
  const log = { ...silentLog, warn: note, info: note };
  const { exporter, pass, take } = setUp([gone(), gone(), gone(), gone(), gone()], log);
  take(waitingMax + 100);
  expect(exporter.status().waiting).toBe(waitingMax);
  await pass(30_000);
  expect(exporter.status()).toMatchObject({ sent: 0, dropped: waitingMax + 100, waiting: 0 });
  take(1);
  await pass(6_000);
  take(1);
  await pass(6_000);
  expect(exporter.status()).toEqual({ sent: 1, dropped: waitingMax + 101, waiting: 0 });
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain("connection refused");
});

describe("a collector", () => {
  const closing: Array<() => unknown> = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  function collector(answer: (request: Request) => Response | Promise<Response>) {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
    closing.push(() => server.stop(true));
    return { url: `${server.url}v1/traces`, headers: ["x-key=a=secret"], timeoutMs: 10_000 };
  }

  test("gets the body as JSON, with the headers that it asks for", async () => {
    let heard = "";
    let headers = new Headers();
    const request = collector(async (each) => {
      heard = await each.text();
      headers = new Headers(each.headers);
      return Response.json({ partialSuccess: { rejectedSpans: "3", errorMessage: "too old" } });
    });
    expect(await postTraces(request, "{}")).toEqual({
      status: 200,
      retryAfter: undefined,
      rejected: 3,
    });
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("x-key")).toBe("a=secret");
    expect(headers.get("user-agent")).toStartWith("weave/");
    expect(heard).toBe("{}");
  });

  test.each([
    ["nothing", ""],
    ["another form", "\x0a\x00"],
    ["nonsense", '{"partialSuccess":{"rejectedSpans":"many"}}'],
    ["too much", "[".repeat(1 << 20)],
  ])("may answer with %s", async (_, text) => {
    const request = collector(() => new Response(text, { status: 200 }));
    expect(await postTraces(request, "{}")).toMatchObject({ status: 200, rejected: 0 });
  });

  test("that sends us elsewhere is not followed, and says when it has room again", async () => {
    const away = collector(() => Response.redirect("http://127.0.0.1:1/", 307));
    expect(await postTraces(away, "{}")).toMatchObject({ status: 307 });
    const busy = collector(
      () => new Response("", { status: 429, headers: { "Retry-After": "7" } }),
    );
    expect(await postTraces(busy, "{}")).toMatchObject({ status: 429, retryAfter: "7" });
  });
});
