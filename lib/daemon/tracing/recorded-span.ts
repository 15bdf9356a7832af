import type { World } from "../../base/world.ts";
import type {
  AttributeValue,
  SpanAttributes,
  SpanEvent,
  SpanKind,
  SpanRecord,
} from "../../wire/otlp-trace.ts";
import type { OpenSpan } from "./span.ts";

/** Of each span; what is beyond is left out. */
const attributesMax = 32;
const eventsMax = 32;
const textCharactersMax = 1024;
const listMax = 32;

/** What spans are made with. */
export interface SpanMaker {
  readonly world: Pick<World, "now" | "monotonicMs">;
  /** 16 hex digits that no other has. */
  newId(): string;
  ended(span: SpanRecord): void;
}

/** A span that is kept when it ends. */
export class RecordedSpan implements OpenSpan {
  readonly isRecording = true;
  readonly traceId: string;
  readonly spanId: string;
  readonly #maker: SpanMaker;
  readonly #parentSpanId: string | undefined;
  readonly #name: string;
  readonly #kind: SpanKind;
  readonly #startNs: bigint;
  readonly #startMs: number;
  readonly #attributes: Record<string, AttributeValue> = {};
  readonly #events: SpanEvent[] = [];
  #isEnded = false;

  constructor(
    maker: SpanMaker,
    name: string,
    kind: SpanKind,
    parent: { readonly traceId: string; readonly spanId: string | undefined },
  ) {
    this.#maker = maker;
    this.#name = name;
    this.#kind = kind;
    this.traceId = parent.traceId;
    this.spanId = maker.newId();
    this.#parentSpanId = parent.spanId;
    this.#startMs = maker.world.monotonicMs();
    this.#startNs = nanoseconds(maker.world.now());
  }

  set(attributes: SpanAttributes): void {
    for (const [key, value] of Object.entries(attributes)) {
      const isKnown = key in this.#attributes;
      if (!isKnown && Object.keys(this.#attributes).length >= attributesMax) continue;
      this.#attributes[key] = bounded(value);
    }
  }

  event(name: string, attributes: SpanAttributes = {}): void {
    if (this.#events.length >= eventsMax) return;
    const entries = Object.entries(attributes).map(
      ([key, value]) => [key, bounded(value)] as const,
    );
    this.#events.push({ atNs: this.#nowNs(), name, attributes: Object.fromEntries(entries) });
  }

  part(name: string, attributes: SpanAttributes): RecordedSpan {
    const part = new RecordedSpan(this.#maker, name, "internal", this);
    part.set(attributes);
    return part;
  }

  end(failure?: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#maker.ended({
      ...{ traceId: this.traceId, spanId: this.spanId, parentSpanId: this.#parentSpanId },
      ...{ name: this.#name, kind: this.#kind, startNs: this.#startNs, endNs: this.#nowNs() },
      ...{ attributes: this.#attributes, events: this.#events },
      failure: failure?.slice(0, textCharactersMax),
    });
  }

  /** By the clock that nobody sets, from the start on. */
  #nowNs(): bigint {
    return this.#startNs + nanoseconds(this.#maker.world.monotonicMs() - this.#startMs);
  }
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

function bounded(value: AttributeValue): AttributeValue {
  if (typeof value === "string") return value.slice(0, textCharactersMax);
  if (typeof value !== "object") return value;
  return value.slice(0, listMax).map((text) => text.slice(0, textCharactersMax));
}
