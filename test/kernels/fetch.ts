import { debian12 } from "./emulated.ts";
import { userMode } from "./user-mode.ts";

/**
 * Fetches kernels of guests unless they are there: whether they can be had is another question than
 * whether the tests in them pass. Ends with 1 and a sentence when one cannot.
 *
 *   bun fetch.ts [its name]   else that of user-mode Linux
 */
const name = process.argv[2] ?? userMode.name;
try {
  const kernel = [userMode, debian12].find((each) => each.name === name);
  if (kernel === undefined) throw new Error(`there is no kernel ${name}`);
  console.log(`kernel ${(await kernel.fetch()).modules.split("/").at(-1)}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
