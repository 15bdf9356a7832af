/** Events of the last day are enough to begin with. */
const sinceMs = 24 * 3_600_000;

/** The query for them. */
export function latestEvents(): [string, string][] {
  return [["since", new Date(Date.now() - sinceMs).toISOString()]];
}
