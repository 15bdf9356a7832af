/**
 * Makes a list that fails as short as it gets by leaving parts out (delta debugging, Zeller and
 * Hildebrandt 2002): halves first, then ever smaller parts, until every single item is needed or the
 * attempts are used up. The result fails; the order stays.
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
  attemptsMax: number,
): Promise<readonly T[]> {
  let attempts = 0;
  const test = async (part: readonly T[]): Promise<boolean> => {
    attempts++;
    return await fails(part);
  };
  let rest = items;
  let parts = 2;
  while (rest.length > 0 && attempts < attemptsMax) {
    const size = Math.ceil(rest.length / parts);
    let shorter: readonly T[] | undefined;
    for (let from = 0; from < rest.length && attempts < attemptsMax; from += size) {
      const without = [...rest.slice(0, from), ...rest.slice(from + size)];
      if (!(await test(without))) continue;
      shorter = without;
      break;
    }
    if (shorter !== undefined) {
      rest = shorter;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) {
      return rest;
    } else {
      parts = Math.min(rest.length, parts * 2);
    }
  }
  return rest;
}
