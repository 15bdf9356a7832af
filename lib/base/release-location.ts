/**
 * Where releases of this product are published, as `install.sh` of the same release has it; empty
 * when the build was told of no place. A release lies there in a folder of its version's name.
 */
declare const WEAVE_RELEASES: string | undefined;

export const releaseLocation: string = typeof WEAVE_RELEASES === "string" ? WEAVE_RELEASES : "";
