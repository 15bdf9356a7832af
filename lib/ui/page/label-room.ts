/** Of a text on the screen, in pixels, from its upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Who comes first has the place: texts over each other can be read by nobody. */
export class LabelRoom {
  readonly #taken: Box[] = [];

  /** False where another one is already. */
  take(box: Box): boolean {
    if (this.#taken.some((each) => overlap(each, box))) return false;
    this.#taken.push(box);
    return true;
  }
}

function overlap(a: Box, b: Box): boolean {
  const isBeside = a.x + a.width <= b.x || b.x + b.width <= a.x;
  const isAbove = a.y + a.height <= b.y || b.y + b.height <= a.y;
  return !isBeside && !isAbove;
}
