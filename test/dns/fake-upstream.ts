import { type Endpoint, formatEndpoint } from "../../lib/base/endpoint.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import type { Cancel, World } from "../../lib/base/world.ts";
import type { Transport } from "../../lib/dns/truncation.ts";
import type { UpstreamIo } from "../../lib/dns/upstream-query.ts";

export interface Exchange {
  readonly server: string;
  readonly transport: Transport;
  readonly query: Uint8Array;
  readonly atMs: number;
  cancelled: boolean;
}

/** What a server does with a query: replies, refuses the packet, or stays silent. */
export type Behaviour = (query: Uint8Array) => Uint8Array | "unreachable" | undefined;

/** Name servers that live in simulated time: each answers after 20 ms or not at all. */
export class FakeUpstream implements UpstreamIo {
  readonly exchanges: Exchange[] = [];
  readonly #world: World;
  readonly #behaviours: Readonly<Record<string, Behaviour>>;

  constructor(world: World, behaviours: Readonly<Record<string, Behaviour>>) {
    this.#world = world;
    this.#behaviours = behaviours;
  }

  exchange(
    server: Endpoint,
    transport: Transport,
    query: Uint8Array,
    handlers: { reply(bytes: Uint8Array): void; failed(error: WeaveError): void },
  ): Cancel {
    const key = server.port === 53 ? server.host : formatEndpoint(server);
    const atMs = this.#world.monotonicMs();
    const exchange: Exchange = { server: key, transport, query, atMs, cancelled: false };
    this.exchanges.push(exchange);
    const stop = this.#world.after(20, () => {
      const result = this.#behaviours[key]?.(query);
      if (result === "unreachable") handlers.failed(new WeaveError("TEST", "unreachable"));
      else if (result !== undefined) handlers.reply(result);
    });
    return () => {
      exchange.cancelled = true;
      stop();
    };
  }
}

/** `reply` under the id of `query`. */
export function withIdOf(query: Uint8Array, reply: Uint8Array): Uint8Array {
  const answer = new Uint8Array(reply);
  answer.set(query.subarray(0, 2));
  return answer;
}
