import type { LaunchOptions } from "../launch-options.ts";

/** What an old router was told, in our terms. */
export interface OldSettings {
  /** What ours is launched with, without a password; the peers are those of the command line. */
  readonly options: LaunchOptions;
  /** The same as words of `weave launch`, for people. */
  readonly words: readonly string[];
  /** Path of its data file, as the old router sees it. */
  readonly database: string;
  readonly leftOut: readonly LeftOut[];
}

/** A setting that has no counterpart here. */
export interface LeftOut {
  /** As it was written, with its dashes. */
  readonly flag: string;
  /** What goes behind it: a clause. */
  readonly why: string;
}
