import { toHex } from "../../base/bytes.ts";
import type { World } from "../../base/world.ts";
import type { SpanAttributes, SpanKind, SpanRecord } from "../../wire/otlp-trace.ts";
import { parseTraceparent } from "../../wire/trace-context.ts";
import { RecordedSpan, type SpanMaker } from "./recorded-span.ts";
import { noSpan, type Span, within } from "./span.ts";

/** How a trace begins here. */
export interface TraceStart {
  readonly name: string;
  readonly kind: Extract<SpanKind, "server" | "internal">;
  /** Of the caller's span, as it came; what is none begins a trace. */
  readonly traceparent?: string | undefined;
  readonly attributes: SpanAttributes;
}

/** Begins traces. Where they go on is `inSpan`'s to say. */
export interface Tracer {
  trace<T>(start: TraceStart, action: (span: Span) => T): T;
}

/** For routers that trace nothing. */
export const noTracer: Tracer = { trace: (_, action) => action(noSpan) };

/** Records every trace that it begins, and those of callers who record theirs. */
export class RecordingTracer implements Tracer {
  readonly #maker: SpanMaker;
  readonly #newTraceId: () => string;

  constructor(
    world: Pick<World, "now" | "monotonicMs" | "random">,
    ended: (span: SpanRecord) => void,
  ) {
    const hex = (size: number): string => toHex(world.random.fill(new Uint8Array(size)));
    this.#newTraceId = () => hex(16);
    this.#maker = { world, ended, newId: () => hex(8) };
  }

  trace<T>({ name, kind, traceparent, attributes }: TraceStart, action: (span: Span) => T): T {
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    if (parent?.isSampled === false) return action(noSpan);
    const { traceId = this.#newTraceId(), spanId } = parent ?? {};
    const span = new RecordedSpan(this.#maker, name, kind, { traceId, spanId });
    span.set(attributes);
    return within(span, action);
  }
}
