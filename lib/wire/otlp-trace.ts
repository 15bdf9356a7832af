/**
 * Spans as a request of OTLP over HTTP in its JSON form (opentelemetry-proto, `ExportTraceServiceRequest`;
 * OTLP specification, section "JSON Protobuf Encoding"):
 *
 *   resourceSpans ─ resource ─ attributes
 *                 └ scopeSpans ─ scope
 *                              └ spans ─ attributes, events, status
 *
 * Ids are hex digits, not base64; enumerations are numbers; integers of 64 bits are strings.
 */
export interface SpanRecord {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  /** Absent: it begins its trace. */
  readonly parentSpanId?: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** Nanoseconds since 1970. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: SpanAttributes;
  readonly events: readonly SpanEvent[];
  /** Absent: it ended well. */
  readonly failure?: string | undefined;
}

export interface SpanEvent {
  readonly atNs: bigint;
  readonly name: string;
  readonly attributes: SpanAttributes;
}

export type SpanAttributes = Readonly<Record<string, AttributeValue>>;
export type AttributeValue = string | number | boolean | readonly string[];

/** trace.proto, `SpanKind`. */
const spanKinds = { internal: 1, server: 2, client: 3 } as const;
export type SpanKind = keyof typeof spanKinds;

/** trace.proto, `StatusCode.STATUS_CODE_ERROR`. */
const statusError = 2;

/** Who made the spans: the library, in the words of OpenTelemetry. */
export interface TraceScope {
  readonly name: string;
  readonly version: string;
}

/** What is sent; `JSON.stringify` of it is the body. */
export function exportTraceRequest(
  spans: readonly SpanRecord[],
  resource: SpanAttributes,
  scope: TraceScope,
): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesJson(resource) },
        scopeSpans: [{ scope: { ...scope }, spans: spans.map(spanJson) }],
      },
    ],
  };
}

function spanJson(span: SpanRecord): object {
  const { traceId, spanId, parentSpanId, name, kind, startNs, endNs } = span;
  return {
    ...{ traceId, spanId, ...(parentSpanId !== undefined && { parentSpanId }) },
    ...{ name, kind: spanKinds[kind] },
    ...{ startTimeUnixNano: String(startNs), endTimeUnixNano: String(endNs) },
    attributes: attributesJson(span.attributes),
    events: span.events.map((event) => ({
      ...{ timeUnixNano: String(event.atNs), name: event.name },
      attributes: attributesJson(event.attributes),
    })),
    status: span.failure === undefined ? {} : { code: statusError, message: span.failure },
  };
}

function attributesJson(attributes: SpanAttributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueJson(value) }));
}

function valueJson(value: AttributeValue): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value !== "number") return { arrayValue: { values: value.map(valueJson) } };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
