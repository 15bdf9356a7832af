import type { Endpoint } from "../base/endpoint.ts";
import type { WeaveError } from "../base/errors.ts";
import type { PeerName } from "../base/peer-name.ts";
import { type Random, randomUnit } from "../base/random.ts";

export const firstRetryMs = 2_000;
export const retryMaxMs = 6 * 60_000;
/** An address that did not answer so often, one after the other, is not where the peer is found. */
const failuresMax = 3;
/** What this host's own kernel says of a family by which nobody is reached from here. */
const unreachable: ReadonlySet<string> = new Set(
  ["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"].map((name) => `TCP_${name}`),
);
/** A connection that lasted this long beyond its dialling was a good one: begin anew. */
const goodConnectionMs = 60_000;

export type TargetState = "waiting" | "attempting" | "connected" | "suspended";

/**
 * An address to be connected to (mesh-protocol §11.2, §11.3).
 *
 *   waiting ──due and wanted──▶ attempting ──added──▶ connected
 *     ▲ │ ▲                         │ failed             │ terminated
 *     │ │ └──────── back-off ───────┴────────────────────┘
 *     │ └─not wanted─▶ suspended (or forgotten, when nobody asked for it)
 *     └──wanted again────┘
 */
export class Target {
  readonly endpoint: Endpoint;
  state: TargetState = "waiting";
  /** The last failure; cleared by success. */
  error: WeaveError | undefined;
  /** Where the address led when it was last tried. */
  remote: PeerName | undefined;
  #dueAtMs: number | undefined;
  #intervalMs = firstRetryMs;
  /** Attempts that failed since the last connection. */
  #failures = 0;

  /** `dueAtMs`: when to try first, monotonic. */
  constructor(endpoint: Endpoint, dueAtMs: number) {
    this.endpoint = endpoint;
    this.#dueAtMs = dueAtMs;
  }

  /** Monotonic time of the next attempt; `undefined` for never. */
  get dueAtMs(): number | undefined {
    return this.#dueAtMs;
  }

  /** The wait before the next retry but one, before it is randomised. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** Whether the peer is better looked for at other addresses as well. */
  get seemsInVain(): boolean {
    return this.#failures >= failuresMax || unreachable.has(this.error?.code ?? "");
  }

  /** The user asks for it: now, whatever happened before. */
  renew(nowMs: number): void {
    this.#dueAtMs = nowMs;
    this.#intervalMs = firstRetryMs;
    this.remote = undefined;
  }

  connected(remote: PeerName): void {
    this.state = "connected";
    this.remote = remote;
    this.error = undefined;
    this.#failures = 0;
  }

  /** An attempt failed or a connection ended: wait half to one and a half intervals. */
  ended(error: WeaveError, nowMs: number, random: Random): void {
    if (this.state === "attempting") this.#failures++;
    const lasted = this.state === "connected" && nowMs - this.#dueAtMs! > goodConnectionMs;
    this.state = "waiting";
    this.error = error;
    if (isHopeless(error)) {
      this.#dueAtMs = undefined;
    } else if (lasted) {
      this.#dueAtMs = nowMs;
      this.#intervalMs = firstRetryMs;
    } else {
      this.#dueAtMs = nowMs + this.#intervalMs / 2 + randomUnit(random) * this.#intervalMs;
      this.#intervalMs = Math.min(this.#intervalMs * 1.5, retryMaxMs);
    }
  }
}

/** What no retry mends: we reached ourselves, or somebody with our name. */
function isHopeless(error: WeaveError): boolean {
  return error.code === "CONNECT_SELF" || error.code === "NAME_COLLISION";
}
