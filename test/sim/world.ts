import { VirtualClock } from "../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../lib/simulator/world.ts";

export { SimWorld, simulationEpochMs } from "../../lib/simulator/world.ts";

/** A world on its own clock, for tests of one object. */
export function loneWorld(seed = 1): { world: SimWorld; clock: VirtualClock } {
  const clock = new VirtualClock();
  return { world: new SimWorld(clock, seed), clock };
}

/** Runs `body` and, when it fails, says which seed it failed with. */
export function withSeed<T>(seed: number, body: (seed: number) => T): T {
  try {
    return body(seed);
  } catch (cause) {
    throw new Error(`simulation failed with seed ${seed}: ${String(cause)}`, { cause });
  }
}
