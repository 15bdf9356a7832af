import { errorText } from "../../../base/errors.ts";
import type { NetworkEvent } from "../../../base/network-event.ts";
import { RetryDelay, type RetryDelays } from "../../../base/retry-delay.ts";
import type { Cancel, World } from "../../../base/world.ts";
import { encodeSyslogMessage } from "../../../wire/syslog-message.ts";
import type { EventOutlet, OutletStatus } from "../event-outlet.ts";
import type { SyslogDoor } from "./syslog-door.ts";
import { type EventOrigin, syslogMessage } from "./syslog-event.ts";

/** Messages that wait for a receiver, of some hundred octets each. */
export const waitingMax = 4096;

const retryDelays: RetryDelays = { firstMs: 1_000, maxMs: 30_000, growth: 2 };

/** A receiver that has no room is given the next message after this time. */
const busyMs = 100;

/** Given in one go, before others have their turn. */
const burstMax = 256;

/**
 * Sends events to a syslog receiver, in order, and waits for nobody.
 *
 *   take ─▶ queue, bounded ─┬─ no door ──▶ opened, later and later ─┐
 *                           ├─ no room ──▶ again in a moment        │
 *                           └─ sent ◀───────────────────────────────┘
 */
export class SyslogOutlet implements EventOutlet {
  readonly name = "syslog";
  readonly to: string;
  readonly #world: Pick<World, "after" | "log">;
  readonly #origin: EventOrigin;
  readonly #open: () => Promise<SyslogDoor>;
  readonly #retry = new RetryDelay(retryDelays);
  #waiting: Uint8Array[] = [];
  #door: SyslogDoor | undefined;
  #isOpening = false;
  #cancel: Cancel | undefined;
  #sent = 0;
  #lost = 0;
  #trouble: string | undefined;
  #isStopped = false;

  constructor(
    world: Pick<World, "after" | "log">,
    to: string,
    origin: EventOrigin,
    open: () => Promise<SyslogDoor>,
  ) {
    this.#world = world;
    this.to = to;
    this.#origin = origin;
    this.#open = open;
  }

  take(event: NetworkEvent): void {
    if (this.#waiting.length >= waitingMax) {
      this.#lost++;
      return;
    }
    this.#waiting.push(encodeSyslogMessage(syslogMessage(event, this.#origin)));
    if (this.#cancel === undefined) this.#go();
  }

  status(): OutletStatus {
    const trouble = this.#trouble;
    return {
      ...{ sent: this.#sent, lost: this.#lost, waiting: this.#waiting.length },
      ...(trouble !== undefined && { trouble }),
    };
  }

  /** Sends what can be sent at once; the rest is lost. */
  stop(): void {
    this.#cancel?.();
    if (this.#door !== undefined) this.#send(this.#door, waitingMax);
    this.#isStopped = true;
    this.#close();
  }

  #go(): void {
    this.#cancel = undefined;
    if (this.#isStopped || this.#waiting.length === 0) return;
    if (this.#door === undefined) {
      void this.#openDoor();
      return;
    }
    const hasRoom = this.#send(this.#door, burstMax);
    // It may have turned out to be gone.
    if (this.#door === undefined || this.#waiting.length === 0) return;
    this.#later(hasRoom ? 0 : busyMs);
  }

  /** False while there is no room. */
  #send(door: SyslogDoor, countMax: number): boolean {
    let count = 0;
    let hasRoom = true;
    try {
      while (hasRoom && count < Math.min(countMax, this.#waiting.length)) {
        hasRoom = door.send(this.#waiting[count]!);
        if (hasRoom) count++;
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#waiting = this.#waiting.slice(count);
    this.#sent += count;
    if (count > 0 && this.#door !== undefined) this.#succeeded();
    return hasRoom;
  }

  async #openDoor(): Promise<void> {
    if (this.#isOpening) return;
    this.#isOpening = true;
    try {
      const door = await this.#open();
      if (this.#isStopped) door[Symbol.dispose]();
      else this.#door = door;
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isOpening = false;
    }
    if (this.#door !== undefined) this.#go();
  }

  #failed(error: unknown): void {
    this.#close();
    const trouble = errorText(error);
    if (this.#trouble === undefined && !this.#isStopped) {
      this.#world.log.warn(`events wait for ${this.to}, at most ${waitingMax}: ${trouble}`);
    }
    this.#trouble = trouble;
    this.#later(this.#retry.after(0));
  }

  #succeeded(): void {
    if (this.#trouble !== undefined) {
      this.#world.log.info(`events go to ${this.to} again; ${this.#lost} were lost`);
    }
    this.#trouble = undefined;
    this.#retry.after(Number.POSITIVE_INFINITY);
  }

  #later(delayMs: number): void {
    this.#cancel?.();
    this.#cancel = this.#isStopped ? undefined : this.#world.after(delayMs, () => this.#go());
  }

  #close(): void {
    this.#door?.[Symbol.dispose]();
    this.#door = undefined;
  }
}
