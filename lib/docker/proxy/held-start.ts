import { errorText, WeaveError } from "../../base/errors.ts";
import type { World } from "../../base/world.ts";
import type { ExpectedStart } from "../start-hold.ts";

/** A start that takes longer is told of in the log, and in the answer. */
const noticeMs = 5_000;

/** A start that takes longer fails: nobody can tell a client meanwhile what it waits for. */
export const holdMaxMs = 60_000;

export interface HeldStartOptions {
  readonly world: Pick<World, "after" | "monotonicMs" | "log">;
  /** Full id. */
  readonly container: string;
  /** What is in the way of every container just now, as the end of a sentence; `undefined` for nothing. */
  obstacle(): string | undefined;
  /** Resolves when nobody waits any more: then the container is left to itself. */
  readonly abandoned: Promise<void>;
  /** Ends the container: who asked for it hears that it has failed. */
  kill(): Promise<unknown>;
}

/**
 * Waits until a container that has been started is attached. Gives how long that took, for the
 * client to be told, when it was long.
 *
 * @throws WeaveError why it is not attached; it has been ended then
 */
export async function heldStart(
  expected: ExpectedStart,
  options: HeldStartOptions,
): Promise<number | undefined> {
  const { world, obstacle } = options;
  const name = options.container.slice(0, 12);
  const begunMs = world.monotonicMs();
  const late = Promise.withResolvers<never>();
  const cancelNotice = world.after(noticeMs, () => {
    const reason = obstacle() ?? "it is not attached yet";
    world.log.warn(`the start of container ${name} is held: ${reason}`);
  });
  const cancelLimit = world.after(holdMaxMs, () => late.reject(tooLate(name, obstacle())));
  try {
    await Promise.race([expected.attached(), late.promise, options.abandoned]);
  } catch (error) {
    if (error instanceof WeaveError && error.code === lateCode) await endIt(options);
    throw error;
  } finally {
    cancelNotice();
    cancelLimit();
  }
  const tookMs = world.monotonicMs() - begunMs;
  return tookMs >= noticeMs ? tookMs : undefined;
}

const lateCode = "ATTACH_LATE";

function tooLate(name: string, obstacle: string | undefined): WeaveError {
  const reason = obstacle ?? "nothing says why";
  return new WeaveError(
    lateCode,
    `container ${name} was ended, because it did not get its place on the weave network within ${holdMaxMs / 1000} s: ${reason}`,
    { remedy: "'weave status' and 'weave doctor' say more" },
  );
}

async function endIt({ world, container, kill }: HeldStartOptions): Promise<void> {
  try {
    await kill();
  } catch (error) {
    world.log.warn(`container ${container.slice(0, 12)} could not be ended: ${errorText(error)}`);
  }
}
