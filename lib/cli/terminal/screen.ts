import type { Key } from "./keys.ts";

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** A terminal that one program has for itself, until it is disposed of. */
export interface Screen extends Disposable {
  readonly size: ScreenSize;
  /** Shows these lines from the top and nothing below; texts as `lineText` makes them. */
  show(lines: readonly string[]): void;
  /** Gives the terminal back, stops the process, and takes it again when the process goes on. */
  suspend(): void;
}

/** Who has the screen. */
export interface ScreenUser {
  pressed(key: Key): void;
  /** What was shown is gone, or does not fit any more. */
  resized(): void;
}

export type OpenScreen = (user: ScreenUser) => Screen;
