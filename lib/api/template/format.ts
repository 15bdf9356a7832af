import { runeCount } from "./go-text.ts";
import type { BoundedText } from "./limits.ts";

/** How one operand is to be printed: the parts of a verb like `%-8.3f`. */
export interface Format {
  readonly verb: string;
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  /** Characters. */
  readonly width: number | undefined;
  readonly precision: number | undefined;
  /** `%+v`: structs with the names of their fields. */
  readonly named: boolean;
  /** `%#v`: as Go source. */
  readonly source: boolean;
}

export const plainFormat: Format = {
  verb: "v",
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
  named: false,
  source: false,
};

/** Writes `text` at the width of `format`. */
export function pad(out: BoundedText, text: string, format: Format): void {
  const missing = (format.width ?? 0) - (format.width === undefined ? 0 : runeCount(text));
  if (!format.minus) out.repeat(format.zero ? "0" : " ", missing);
  out.write(text);
  if (format.minus) out.repeat(" ", missing);
}
