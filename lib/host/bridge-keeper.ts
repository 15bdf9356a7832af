import { everyBeat } from "../base/beat.ts";
import { errorText } from "../base/errors.ts";
import type { Cancel, World } from "../base/world.ts";
import { LinkWatch } from "./link-watch.ts";
import type { Netlink } from "./netlink/conversation.ts";
import { openRoute } from "./netlink/open.ts";

const checkPeriodMs = 1000;

/** How things stand afterwards. */
export interface StandingDevices {
  /** Index of the interface on which frames are captured. */
  readonly captureInterface: number;
  /** What had to be made or mended, one sentence each. */
  readonly mended: readonly string[];
}

export interface BridgeKeeperOptions {
  /** Names of the devices that have to stand. */
  devices(): readonly string[];
  /** Makes or mends them. @throws WeaveError, SystemError */
  prepare(netlink: Netlink): StandingDevices;
  /** Index of the interface on which frames are captured now. */
  readonly captureInterface: number;
  /** The capture interface was made anew and has this index. */
  recapture(captureInterface: number): void;
  /** Something was mended: addresses and rules that went with the devices may be missing. */
  mended(): void;
}

/**
 * Keeps bridge and tap, or datapath, as they should be while the router runs, whoever deletes,
 * unplugs or reconfigures them. Nothing is done, and next to nothing read, while no link changes.
 */
export class BridgeKeeper {
  readonly #world: Pick<World, "after" | "log">;
  readonly #options: BridgeKeeperOptions;
  readonly #netlink: Netlink;
  readonly #watch: LinkWatch;
  readonly #cancel: Cancel;
  #captureInterface: number;
  /** Why the last attempt failed: it is repeated, and its reason logged once. */
  #trouble: string | undefined;

  /** Watches the thread's network namespace. @throws SystemError */
  constructor(world: Pick<World, "after" | "monotonicMs" | "log">, options: BridgeKeeperOptions) {
    this.#world = world;
    this.#options = options;
    this.#captureInterface = options.captureInterface;
    this.#netlink = openRoute();
    this.#watch = new LinkWatch();
    this.#cancel = everyBeat(world, checkPeriodMs, () => this.check());
  }

  /** Mends what has changed since the last check. */
  check(): void {
    const changes = this.#watch.changes();
    const concerned =
      changes === undefined || this.#options.devices().some((name) => changes.has(name));
    if (!concerned && this.#trouble === undefined) return;
    try {
      this.#mend();
      this.#trouble = undefined;
    } catch (error) {
      const trouble = errorText(error);
      if (trouble !== this.#trouble) this.#world.log.error(`cannot mend the bridge: ${trouble}`);
      this.#trouble = trouble;
    }
  }

  stop(): void {
    this.#cancel();
    this.#watch.close();
    this.#netlink.close();
  }

  #mend(): void {
    const { captureInterface, mended } = this.#options.prepare(this.#netlink);
    if (captureInterface !== this.#captureInterface) {
      this.#options.recapture(captureInterface);
      this.#captureInterface = captureInterface;
    }
    if (mended.length === 0) return;
    for (const sentence of mended) this.#world.log.warn(`${sentence}: somebody had changed it`);
    this.#options.mended();
  }
}
