/**
 * How wide a text may become, in a font that is not known: which one a reader's system has differs, so
 * this goes by DejaVu Sans, the widest that is common.
 */
const groups: ReadonlyArray<readonly [em: number, characters: RegExp]> = [
  [0.32, /[ijl.,:;'|!]/],
  [0.4, /[ftr()[\]/ I-]/],
  [0.84, /[wW%→]/],
  [0.98, /[mM…]/],
  [0.72, /[A-Z]/],
];

const otherEm = 0.63;

/** @param sizePx of the font */
export function textWidth(text: string, sizePx: number): number {
  const em = [...text].reduce(
    (sum, character) =>
      sum + (groups.find(([, characters]) => characters.test(character))?.[0] ?? otherEm),
    0,
  );
  return em * sizePx;
}
