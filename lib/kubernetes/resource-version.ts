/**
 * The order of versions. They are opaque texts by the letter of older API references; all servers
 * there are count in decimal, and Kubernetes 1.35 promises it ("Comparable Resource Versions").
 *
 * Versions that are no numbers have no order: each is taken for newer than any other.
 */
export function isNewerVersion(version: string, than: string): boolean {
  if (!isCount(version) || !isCount(than)) return version !== than;
  return version.length === than.length ? version > than : version.length > than.length;
}

/** Whether one version comes before another one; never of versions that have no order. */
export function isOlderVersion(version: string, than: string): boolean {
  return isCount(version) && isCount(than) && isNewerVersion(than, version);
}

function isCount(version: string): boolean {
  return /^(0|[1-9]\d*)$/.test(version);
}
