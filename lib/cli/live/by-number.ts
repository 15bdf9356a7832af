let collator: Intl.Collator | undefined;

/** Sorts names as people do: host2 before host10. */
export function byNumber(a: string, b: string): number {
  collator ??= new Intl.Collator("en", { numeric: true });
  return collator.compare(a, b);
}
