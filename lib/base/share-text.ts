const leastPercent = 0.01;

/** `12 %`, `0.25 %`, `0 %`: two digits that count. @param share 0 to 1 */
export function shareText(share: number): string {
  const percent = 100 * share;
  if (percent > 0 && percent < leastPercent) return `< ${leastPercent} %`;
  return `${Number(percent.toPrecision(2))} %`;
}

/** A share where there is one, else numbers: `1 of 20`. */
export function lostText(way: { frames: number; lost: number; share: number | null }): string {
  return way.share === null ? `${way.lost} of ${way.frames}` : shareText(way.share);
}
