import { everyBeat } from "../base/beat.ts";
import { WeaveError } from "../base/errors.ts";
import type { Cancel, World } from "../base/world.ts";
import type { ByteStream } from "./transport.ts";

/**
 * Watches over one connection whose introduction succeeded (mesh-protocol §4.6):
 *
 *   watching ── startHeartbeats ──▶ beating
 *       └──────── dead, stop ─────────┴──▶ stopped
 *
 *   nothing received for receiveDeadlineMs                       ─▶ dead
 *   something waits to be sent and the kernel took nothing of it
 *   for sendDeadlineMs                                           ─▶ dead
 *
 * Both are about the process at the other end. That its machine is gone is noticed sooner, by ours
 * (`silenceMaxMs`).
 */
export const heartbeatMs = 30_000;
export const receiveDeadlineMs = 60_000;
export const sendDeadlineMs = 60_000;

export interface LivenessActions {
  sendHeartbeat(): void;
  /** Called at most once. */
  dead(reason: WeaveError): void;
}

export class Liveness {
  readonly #world: World;
  readonly #stream: Pick<ByteStream, "backlogBytes">;
  readonly #actions: LivenessActions;
  #receivedAtMs: number;
  #writtenBytes = 0;
  #cancelHeartbeats: Cancel | undefined;
  #cancelReceiveDeadline: Cancel;
  #cancelSendDeadline: Cancel | undefined;

  /** Begins to watch at once. */
  constructor(world: World, stream: Pick<ByteStream, "backlogBytes">, actions: LivenessActions) {
    this.#world = world;
    this.#stream = stream;
    this.#actions = actions;
    this.#receivedAtMs = world.monotonicMs();
    this.#cancelReceiveDeadline = world.after(receiveDeadlineMs, this.#checkReceived);
  }

  startHeartbeats(): void {
    this.#cancelHeartbeats ??= everyBeat(this.#world, heartbeatMs, this.#actions.sendHeartbeat);
  }

  /** A message of any kind came. */
  received(): void {
    this.#receivedAtMs = this.#world.monotonicMs();
  }

  /** `count` octets were given to the stream. */
  wrote(count: number): void {
    this.#writtenBytes += count;
    if (this.#cancelSendDeadline === undefined && this.#stream.backlogBytes > 0) {
      this.#watchSending();
    }
  }

  stop(): void {
    this.#cancelReceiveDeadline();
    this.#cancelHeartbeats?.();
    this.#cancelSendDeadline?.();
  }

  /** One timer for the life of the connection, instead of one for each message. */
  readonly #checkReceived = (): void => {
    const silentMs = this.#world.monotonicMs() - this.#receivedAtMs;
    if (silentMs < receiveDeadlineMs) {
      const restMs = receiveDeadlineMs - silentMs;
      this.#cancelReceiveDeadline = this.#world.after(restMs, this.#checkReceived);
      return;
    }
    this.#die("RECEIVE_DEADLINE", `nothing received for ${seconds(receiveDeadlineMs)}`);
  };

  #watchSending(): void {
    const takenBefore = this.#takenBytes();
    this.#cancelSendDeadline = this.#world.after(sendDeadlineMs, () => {
      this.#cancelSendDeadline = undefined;
      if (this.#stream.backlogBytes === 0) return;
      if (this.#takenBytes() > takenBefore) this.#watchSending();
      else this.#die("SEND_DEADLINE", `remote took nothing for ${seconds(sendDeadlineMs)}`);
    });
  }

  /** Octets that the kernel took. */
  #takenBytes(): number {
    return this.#writtenBytes - this.#stream.backlogBytes;
  }

  #die(code: string, text: string): void {
    this.stop();
    this.#actions.dead(
      new WeaveError(code, text, {
        remedy: "see whether the remote host is up and reachable on the peers' TCP port",
      }),
    );
  }
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
