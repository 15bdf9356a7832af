import { Histogram, type HistogramReading } from "../base/histogram.ts";
import type { ForwardResult } from "../dns/forwarder.ts";
import type { LocalResult } from "../dns/responder.ts";
import type { Transport } from "../dns/truncation.ts";

/** How a query ended: answered here, forwarded, ignored, or its reply could not be sent. */
export type DnsResult = LocalResult | ForwardResult | "ignored" | "unsent";

/** Upper bounds in seconds; the last bucket has none. */
export const latencyBoundsS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10,
] as const;

export interface DnsServerStats {
  readonly queries: Readonly<Record<Transport, number>>;
  /** Every result that occurred. */
  readonly results: Readonly<Partial<Record<DnsResult, number>>>;
  /** Queries that wait for other servers now. */
  readonly forwarding: number;
  readonly tcpClients: number;
  /** Clients that were turned away because {@link tcpClients} had reached its bound. */
  readonly tcpRefused: number;
  /** Seconds from query to reply. */
  readonly latency: HistogramReading;
}

/** Counters of one server since it began to listen. */
export class DnsStats {
  readonly #queries: Record<Transport, number> = { udp: 0, tcp: 0 };
  readonly #results: Partial<Record<DnsResult, number>> = {};
  readonly #latency = new Histogram(latencyBoundsS);
  #tcpRefused = 0;

  query(transport: Transport): void {
    this.#queries[transport]++;
  }

  result(result: DnsResult): void {
    this.#results[result] = (this.#results[result] ?? 0) + 1;
  }

  replied(result: DnsResult, tookMs: number): void {
    this.result(result);
    this.#latency.observe(tookMs / 1000);
  }

  tcpRefused(): void {
    this.#tcpRefused++;
  }

  snapshot(now: { forwarding: number; tcpClients: number }): DnsServerStats {
    return {
      queries: { ...this.#queries },
      results: { ...this.#results },
      ...now,
      tcpRefused: this.#tcpRefused,
      latency: this.#latency.read(),
    };
  }
}
