import { kernelFiles } from "./packages.ts";

/**
 * Fetches the kernel of the guests unless it is there: whether it can be had is another question than
 * whether the tests in it pass. Ends with 1 and a sentence when it cannot.
 */
try {
  console.log(`kernel ${(await kernelFiles()).version}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
