/** Starts of containers that a client of the engine waits for (docker.md §5.2, §6). */
export interface StartHold {
  /**
   * Somebody is about to start, or to restart, this container and waits: when it cannot be attached,
   * the engine ends it, and whoever waits hears why. Called before the engine is asked.
   *
   * @param id full id of the container
   */
  expectStart(id: string): ExpectedStart;
  /** Resolves when nothing is being done to this container; at once for one that nobody starts. */
  settled(id: string): Promise<void>;
}

/** Disposing of it says that nobody waits any more, whatever became of it. */
export interface ExpectedStart extends Disposable {
  /**
   * Called when the engine has answered that it started. Resolves when the container is attached, is
   * one that is left alone, or has ended; it does not wait for an event to tell of the start.
   *
   * @throws WeaveError why it cannot be attached; the container has been ended then
   */
  attached(): Promise<void>;
}
