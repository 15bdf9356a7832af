/** Versions of the CNI specification that the plugins speak, oldest first. */
export const cniVersions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;

export type CniVersion = (typeof cniVersions)[number];

/** What a configuration that names none is meant for. */
export const versionOfOld: CniVersion = "0.1.0";

export const newestVersion: CniVersion = "1.1.0";

export function isCniVersion(text: string): text is CniVersion {
  return cniVersions.some((version) => version === text);
}

/** Whether a version is another one or came after it. */
export function isFrom(version: CniVersion, first: CniVersion): boolean {
  return cniVersions.indexOf(version) >= cniVersions.indexOf(first);
}
