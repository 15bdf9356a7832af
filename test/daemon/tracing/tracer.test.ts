import { describe, expect, test } from "bun:test";
import { WeaveError } from "../../../lib/base/errors.ts";
import { currentSpan, inSpan } from "../../../lib/daemon/tracing/span.ts";
import { noTracer, RecordingTracer } from "../../../lib/daemon/tracing/tracer.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import type { SpanRecord } from "../../../lib/wire/otlp-trace.ts";

function setUp() {
  const clock = new VirtualClock();
  const ended: SpanRecord[] = [];
  const tracer = new RecordingTracer(new SimWorld(clock, 1), (span) => void ended.push(span));
  return { clock, ended, tracer };
}

const start = { name: "request", kind: "server", attributes: {} } as const;
const caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

describe("a trace", () => {
  test("has the parts of what is done, whenever that is and in whatever order it ends", async () => {
    const { clock, ended, tracer } = setUp();
    await tracer.trace(start, async () => {
      clock.run(10);
      await Promise.all([
        inSpan("first", { a: 1 }, async () => {
          await Promise.resolve();
          inSpan("inner", {}, () => clock.run(5));
        }),
        inSpan("second", {}, async () => {}),
      ]);
    });
    const [second, inner, first, request] = ["second", "inner", "first", "request"].map((name) =>
      ended.find((span) => span.name === name),
    );
    expect(ended.at(-1)).toBe(request);
    expect(inner!.parentSpanId).toBe(first!.spanId);
    expect(first!.parentSpanId).toBe(request!.spanId);
    expect(second!.parentSpanId).toBe(request!.spanId);
    expect(request!.parentSpanId).toBeUndefined();
    expect(new Set(ended.map(({ traceId }) => traceId)).size).toBe(1);
    expect(new Set(ended.map(({ spanId }) => spanId)).size).toBe(4);
    expect(first).toMatchObject({ kind: "internal", attributes: { a: 1 } });
    expect(request!.kind).toBe("server");
    expect(inner!.endNs - inner!.startNs).toBe(5_000_000n);
    expect(request!.endNs - request!.startNs).toBe(15_000_000n);
  });

  test("goes on with that of its caller, unless that one is not recorded", () => {
    const { ended, tracer } = setUp();
    tracer.trace({ ...start, traceparent: `${caller}-01` }, () => inSpan("part", {}, () => {}));
    tracer.trace({ ...start, traceparent: `${caller}-00` }, (span) => {
      expect(span.isRecording).toBe(false);
      inSpan("part", {}, () => {});
    });
    tracer.trace({ ...start, traceparent: "nonsense" }, () => {});
    expect(ended).toHaveLength(3);
    expect(ended[1]).toMatchObject({
      ...{ traceId: "4bf92f3577b34da6a3ce929d0e0e4736", parentSpanId: "00f067aa0ba902b7" },
    });
    expect(ended[2]!.traceId).not.toBe(ended[1]!.traceId);
  });

  test("says what failed, with the code, and hands the error on", async () => {
    const { ended, tracer } = setUp();
    const error = new WeaveError("IPAM_BUSY", "too many wait");
    const fail = (): never => {
      throw error;
    };
    expect(() => tracer.trace(start, () => inSpan("at once", {}, fail))).toThrow("too many wait");
    const later = tracer.trace(start, () => inSpan("later", {}, async () => fail()));
    expect(await later.catch((caught: unknown) => caught)).toBe(error);
    expect(ended).toHaveLength(4);
    for (const { failure, attributes } of ended) {
      expect(failure).toBe("too many wait");
      expect(attributes).toEqual({ "error.type": "IPAM_BUSY" });
    }
  });

  test("is bounded, whatever is said in it", () => {
    const { ended, tracer } = setUp();
    tracer.trace(start, (span) => {
      for (let number = 0; number < 1000; number++) {
        span.set({ [`a${number}`]: "x".repeat(5000), last: number });
        span.event("again", { text: "y".repeat(5000) });
      }
    });
    expect(JSON.stringify({ ...ended[0], startNs: 0, endNs: 0, events: [] }).length).toBeLessThan(
      40_000,
    );
    expect(ended[0]!.events).toHaveLength(32);
    expect(ended[0]!.events[0]!.attributes.text).toHaveLength(1024);
    expect(ended[0]!.attributes.last).toBe(999);
  });

  test("is none where nothing is traced", () => {
    const said = noTracer.trace(start, (span) => {
      expect(currentSpan()).toBeUndefined();
      return inSpan("part", {}, (part) => part.isRecording || span.isRecording);
    });
    expect(said).toBe(false);
  });
});
