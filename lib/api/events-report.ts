/** What a router tells others of itself, as parts of its report. */

/** Where events go besides its own memory. */
export interface EventsReport {
  readonly Outlets: readonly EventOutletReport[];
}

export interface EventOutletReport {
  /** `file` or `syslog`. */
  readonly Name: string;
  /** A path, or where a receiver is. */
  readonly To: string;
  /** Since the start, like those lost. */
  readonly Sent: number;
  readonly Lost: number;
  readonly Waiting: number;
  /** Why nothing goes out; absent while all is well. */
  readonly Trouble?: string;
}

/** What becomes of traces. */
export interface TracingReport {
  /** Where the collector is. */
  readonly Endpoint: string;
  /** Spans since the start, like those dropped. */
  readonly Sent: number;
  readonly Dropped: number;
  readonly Waiting: number;
  /** Why none are taken; absent while all is well. */
  readonly Trouble?: string;
}
