import { AsyncLocalStorage } from "node:async_hooks";
import { errorCode, errorText } from "../../base/errors.ts";
import type { AttributeValue, SpanAttributes } from "../../wire/otlp-trace.ts";

/** A piece of work under way, as whoever does it describes it. */
export interface Span {
  /** False: what is said of it is not kept, so nothing need be worked out for it. */
  readonly isRecording: boolean;
  set(attributes: SpanAttributes): void;
  event(name: string, attributes?: SpanAttributes): void;
}

/** A span that can have parts, and ends. */
export interface OpenSpan extends Span {
  part(name: string, attributes: SpanAttributes): OpenSpan;
  /** @param failure absent: it went well */
  end(failure?: string): void;
}

const current = new AsyncLocalStorage<OpenSpan>();

/** For work that nobody traces. */
export const noSpan: Span = { isRecording: false, set() {}, event() {} };

/**
 * Does a part of what is being traced, if anything is, in a span of its own, which ends with it.
 * Costs next to nothing otherwise.
 */
export function inSpan<T>(name: string, attributes: SpanAttributes, action: (span: Span) => T): T {
  const parent = current.getStore();
  return parent === undefined ? action(noSpan) : within(parent.part(name, attributes), action);
}

/** The innermost that is under way. */
export function currentSpan(): OpenSpan | undefined {
  return current.getStore();
}

/** Does something as a part of what `span` is about. */
export function under<T>(span: OpenSpan | undefined, action: () => T): T {
  return span === undefined ? action() : current.run(span, action);
}

/** Does what `span` is about, and ends it then. */
export function within<T>(span: OpenSpan, action: (span: Span) => T): T {
  try {
    const result = current.run(span, () => action(span));
    if (result instanceof Promise) {
      result.then(
        () => span.end(),
        (error) => failed(span, error),
      );
    } else span.end();
    return result;
  } catch (error) {
    failed(span, error);
    throw error;
  }
}

function failed(span: OpenSpan, error: unknown): void {
  const code: AttributeValue = errorCode(error);
  span.set({ "error.type": code });
  span.end(errorText(error));
}
