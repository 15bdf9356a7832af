/** Something that happened in a simulated history, as the trace tells it. */
export interface Happening {
  /** Virtual time since the start of the cluster. */
  readonly atMs: number;
  readonly text: string;
  /** Whom it happened to; nobody for what concerns all. */
  readonly peers: readonly number[];
  /** One character for the drawing. */
  readonly mark: string;
}

/** An invariant does not hold. */
export interface Breach {
  readonly atMs: number;
  /** The invariant: the same for the same kind of mistake. */
  readonly invariant: string;
  /** What was found instead. */
  readonly found: string;
  readonly peers: readonly number[];
}
