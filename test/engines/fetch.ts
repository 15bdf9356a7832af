import { fetchEngines } from "./engine-files.ts";

/**
 * Makes sure that there are engines to test with: whether they can be had is another question than
 * whether the tests pass. Ends with 1 and a sentence when they cannot.
 */
try {
  await fetchEngines();
  console.log("engines 20.10 and 28");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
