import { everyBeat } from "../base/beat.ts";
import { errorText } from "../base/errors.ts";
import type { Cancel, World } from "../base/world.ts";
import { type HostChanges, HostWatch } from "./host-watch.ts";
import type { Netlink } from "./netlink/conversation.ts";
import { openRoute } from "./netlink/open.ts";

const checkPeriodMs = 1000;
/** So often everything is looked at though nothing was told: programs and settings go silently. */
const checksPerLook = 5;

/** How things stand afterwards. */
export interface StandingDevices {
  /** Index of the interface on which frames are captured. */
  readonly captureInterface: number;
  /** What had to be made or mended, one sentence each. */
  readonly mended: readonly string[];
}

export interface BridgeKeeperOptions {
  /** Whether a link of this name has to stand. */
  concerns(name: string): boolean;
  /** Makes or mends them. @throws WeaveError, SystemError */
  prepare(netlink: Netlink): StandingDevices;
  /** Index of the interface on which frames are captured now. */
  readonly captureInterface: number;
  /** The capture interface was made anew and has this index. */
  recapture(captureInterface: number): void;
  /** Makes or mends what is at the devices, which stand: addresses, containers. What had to be. */
  mendRest(): readonly string[];
  /** Told a sentence for each thing that had to be mended. */
  mended(what: string): void;
}

/**
 * Keeps bridge and tap, or datapath, and what is at them as they should be while the router runs,
 * whoever deletes, unplugs or reconfigures them:
 *
 *   a link of ours changed, an address was lost ──▶ look within a second ──▶ mend what is not right
 *   nothing was told                            ──▶ look every five
 */
export class BridgeKeeper {
  readonly #world: Pick<World, "after" | "log">;
  readonly #options: BridgeKeeperOptions;
  readonly #netlink: Netlink;
  readonly #watch: HostWatch;
  readonly #cancel: Cancel;
  #captureInterface: number;
  #checksSinceLook = 0;
  /** Why the last attempt failed: it is repeated, and its reason logged once. */
  #trouble: string | undefined;

  /** Watches the thread's network namespace. @throws SystemError */
  constructor(world: Pick<World, "after" | "monotonicMs" | "log">, options: BridgeKeeperOptions) {
    this.#world = world;
    this.#options = options;
    this.#captureInterface = options.captureInterface;
    this.#netlink = openRoute();
    this.#watch = new HostWatch();
    this.#cancel = everyBeat(world, checkPeriodMs, () => this.check());
  }

  /** Mends what has changed since the last check. */
  check(): void {
    const isDue = ++this.#checksSinceLook >= checksPerLook;
    const isConcerned = this.#isConcerned(this.#watch.changes());
    if (!isDue && !isConcerned && this.#trouble === undefined) return;
    this.#checksSinceLook = 0;
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

  #isConcerned(changes: HostChanges | undefined): boolean {
    if (changes === undefined || changes.addressLost) return true;
    return [...changes.links].some((name) => this.#options.concerns(name));
  }

  #mend(): void {
    const { captureInterface, mended } = this.#options.prepare(this.#netlink);
    if (captureInterface !== this.#captureInterface) {
      this.#options.recapture(captureInterface);
      this.#captureInterface = captureInterface;
    }
    this.#tell(mended);
    this.#tell(this.#options.mendRest());
  }

  #tell(mended: readonly string[]): void {
    for (const sentence of mended) {
      this.#world.log.warn(`${sentence}: somebody had changed it`);
      this.#options.mended(sentence);
    }
  }
}
