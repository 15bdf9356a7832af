/**
 * The version of this product. The build writes it in (`--define`); a checkout that runs without a
 * build says so.
 */
declare const WEAVE_VERSION: string | undefined;

export const productVersion: string =
  typeof WEAVE_VERSION === "string" ? WEAVE_VERSION : "0.0.0-checkout";
