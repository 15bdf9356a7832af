import { errorText } from "../../base/errors.ts";
import { productVersion } from "../../base/product-version.ts";
import { RetryDelay, type RetryDelays } from "../../base/retry-delay.ts";
import type { Cancel, World } from "../../base/world.ts";
import { exportTraceRequest, type SpanAttributes, type SpanRecord } from "../../wire/otlp-trace.ts";

/** Spans that wait; about a kilobyte each. */
export const waitingMax = 2048;

/** Sent together: when there are so many, or this time after the first. */
export const batchMax = 512;
const batchDelayMs = 5_000;

/** How often a batch is sent that a collector has no room for. */
export const attemptsMax = 5;
const retryDelays: RetryDelays = { firstMs: 1_000, maxMs: 30_000, growth: 2 };

/** What a collector may ask for in `Retry-After`. */
const retryAfterMaxMs = 30_000;

/** By these a collector, or a proxy before it, says that the batch may be taken later (OTLP, section "Retryable Response Codes"). */
const busyStatuses = new Set([429, 502, 503, 504]);

/** What is left at the end of the process is sent within this time, or not. */
const farewellMs = 1_000;

/** What a collector has answered. */
export interface SendOutcome {
  readonly status: number;
  /** As it came. */
  readonly retryAfter?: string | undefined;
  /** Spans that were refused of a batch that was taken. */
  readonly rejected?: number | undefined;
}

export interface OtlpExporterOptions {
  readonly world: Pick<World, "after" | "log">;
  /** Without what is secret in it. */
  readonly endpoint: string;
  readonly resource: SpanAttributes;
  /** @throws Error when nobody answers */
  send(body: string): Promise<SendOutcome>;
}

/**
 * Sends spans to a collector in batches, one at a time.
 *
 *   span ─▶ queue, bounded ─▶ batch ─▶ POST ─┬─ 2xx ───────────▶ next
 *                                            ├─ 429, 502–504 ──▶ again, later and later, five times
 *                                            └─ anything else ─▶ dropped, and counted
 */
export class OtlpExporter {
  readonly #options: OtlpExporterOptions;
  #waiting: SpanRecord[] = [];
  #cancel: Cancel | undefined;
  #isSending = false;
  #isStopped = false;
  #sent = 0;
  #dropped = 0;
  #trouble: string | undefined;

  constructor(options: OtlpExporterOptions) {
    this.#options = options;
  }

  readonly take = (span: SpanRecord): void => {
    if (this.#waiting.length >= waitingMax) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(span);
    if (this.#isSending) return;
    if (this.#waiting.length >= batchMax) this.#soon(0);
    else this.#cancel ??= this.#options.world.after(batchDelayMs, () => void this.#sendAll());
  };

  status() {
    const trouble = this.#trouble;
    return {
      ...{ sent: this.#sent, dropped: this.#dropped, waiting: this.#waiting.length },
      ...(trouble !== undefined && { trouble }),
    };
  }

  /** Sends what waits, once and within a second. */
  async stop(): Promise<void> {
    this.#cancel?.();
    this.#isStopped = true;
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.world.after(farewellMs, () => late.resolve());
    await Promise.race([this.#sendAll(), late.promise]);
    cancel();
  }

  #soon(delayMs: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.world.after(delayMs, () => void this.#sendAll());
  }

  async #sendAll(): Promise<void> {
    this.#cancel = undefined;
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, batchMax);
      this.#waiting = this.#waiting.slice(batchMax);
      await this.#sendBatch(batch);
    }
    this.#isSending = false;
  }

  async #sendBatch(batch: readonly SpanRecord[]): Promise<void> {
    const { resource, send } = this.#options;
    const scope = { name: "weave", version: productVersion };
    const body = JSON.stringify(exportTraceRequest(batch, resource, scope));
    const retry = new RetryDelay(retryDelays);
    let trouble = "";
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      let outcome: SendOutcome;
      try {
        outcome = await send(body);
      } catch (error) {
        trouble = errorText(error);
        break;
      }
      const { status, retryAfter, rejected = 0 } = outcome;
      if (status >= 200 && status < 300) {
        // No more than there were, whatever it says.
        const refused = Math.min(rejected, batch.length);
        this.#taken(batch.length - refused, refused);
        return;
      }
      trouble = `the collector answers with status ${status}`;
      if (!busyStatuses.has(status) || this.#isStopped || attempt === attemptsMax) break;
      await this.#pause(Math.max(retry.after(0), retryAfterMs(retryAfter)));
    }
    this.#lost(batch.length, trouble);
  }

  #taken(count: number, rejected: number): void {
    const { world, endpoint } = this.#options;
    this.#sent += count;
    this.#dropped += rejected;
    if (this.#trouble !== undefined) {
      world.log.info(`traces go to ${endpoint} again; ${this.#dropped} spans were dropped`);
    }
    this.#trouble = undefined;
  }

  #lost(count: number, trouble: string): void {
    const { world, endpoint } = this.#options;
    this.#dropped += count;
    if (this.#trouble === undefined) {
      world.log.warn(`traces are dropped that do not reach ${endpoint}: ${trouble}`);
    }
    this.#trouble = trouble;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.world.after(delayMs, resolve));
  }
}

/** In seconds; dates are not understood. */
function retryAfterMs(text: string | undefined): number {
  return /^\d{1,9}$/.test(text ?? "") ? Math.min(Number(text) * 1000, retryAfterMaxMs) : 0;
}
