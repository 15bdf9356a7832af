import type { EngineContainer, ListedEngineContainer } from "./engine-models.ts";

/**
 * Who wants to know what becomes of an engine's containers. Each call may come again for what was
 * told already, because what was missed is found by looking; none waits for what it starts.
 */
export interface EngineObserver {
  /** It runs, and has a process; also when it was found running after a gap. */
  started?(container: EngineContainer): void;
  /** It ended, and may be started again. */
  died?(id: string): void;
  /** It was removed, and will not come back. */
  destroyed?(id: string): void;
  /** What happens from now on is told later, or found. */
  disconnected?(): void;
  /** All containers at each (re)connect, after what was missed has been told. */
  connected?(all: readonly ListedEngineContainer[]): void;
  /** The same at each look while the connection stands. */
  swept?(all: readonly ListedEngineContainer[]): void;
}
