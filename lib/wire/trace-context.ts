/**
 * Where a trace comes from, as the header `traceparent` says it (W3C Trace Context, section 3.2):
 *
 *   00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *   │  trace, 16 octets                 span, 8 octets   flags; 1: sampled
 *   version
 */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 of them: the span that goes on elsewhere. */
  readonly spanId: string;
  /** Whether its trace is recorded by whoever began it. */
  readonly isSampled: boolean;
}

const form = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

const sampledFlag = 1;

/** `undefined` for what is none. Of a later version what this one knows is read, and more may follow. */
export function parseTraceparent(text: string): TraceContext | undefined {
  const [, version, traceId = "", spanId = "", flags = "", more] = form.exec(text) ?? [];
  if (version === undefined || version === "ff") return undefined;
  if (version === "00" && more !== undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & sampledFlag) !== 0;
  return { traceId, spanId, isSampled };
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}
