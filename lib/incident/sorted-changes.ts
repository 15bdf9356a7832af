/** What of two ascending lists is only in the one, and only in the other. */
export function sortedChanges<Item>(
  before: readonly Item[],
  after: readonly Item[],
  compare: (a: Item, b: Item) => number,
): { readonly lost: Item[]; readonly gained: Item[] } {
  const [lost, gained]: [Item[], Item[]] = [[], []];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const order =
      i === before.length ? 1 : j === after.length ? -1 : compare(before[i]!, after[j]!);
    if (order < 0) lost.push(before[i]!);
    if (order > 0) gained.push(after[j]!);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return { lost, gained };
}
