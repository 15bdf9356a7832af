/** What got lost between this host and another one, of the last so many seconds. */
export interface LossReport {
  readonly Seconds: number;
  /** To the neighbour. */
  readonly To: LossWayReport;
  readonly From: LossWayReport;
}

export interface LossWayReport {
  /** That were sent. */
  readonly Frames: number;
  /** That did not arrive. */
  readonly Lost: number;
  /** 0 to 1; null where so few frames say nothing of a share. */
  readonly Share: number | null;
}
