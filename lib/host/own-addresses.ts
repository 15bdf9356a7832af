import { networkInterfaces } from "node:os";
import type { World } from "../base/world.ts";

/** How long a list of this host's addresses is taken for current. */
const listMs = 5000;

/** The addresses of this host, for questions that come often and may be a little late. */
export class OwnAddresses {
  readonly #world: Pick<World, "monotonicMs">;
  #addresses: ReadonlySet<string> = new Set();
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(world: Pick<World, "monotonicMs">) {
    this.#world = world;
  }

  has(host: string): boolean {
    const nowMs = this.#world.monotonicMs();
    if (nowMs >= this.#untilMs) {
      this.#untilMs = nowMs + listMs;
      const links = Object.values(networkInterfaces());
      this.#addresses = new Set(links.flatMap((link) => link?.map((each) => each.address) ?? []));
    }
    return this.#addresses.has(host);
  }
}
