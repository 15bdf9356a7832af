/** How the wait helper gets into a container (docker.md §1, §5.1): a bind mount, read only. */

/** Where its folder appears in containers. */
export const waitHelperTarget = "/w";

/** The executable, as the first word of an entrypoint. */
export const waitHelperPath = `${waitHelperTarget}/w`;

/** Folders of this host to be bound at {@link waitHelperTarget}, by what the helper waits for. */
export interface WaitHelperFolders {
  /** For the interface to be up and all multicast groups to be routed. */
  readonly dir: string;
  /** For the interface to be up. */
  readonly noMulticastDir: string;
  /** For nothing. */
  readonly noopDir: string;
}

/** Whether a container's own command runs behind the wait helper. */
export function isWrapped(entrypoint: readonly string[]): boolean {
  return entrypoint[0] === waitHelperPath;
}
