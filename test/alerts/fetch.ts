import { errorText } from "../../lib/base/errors.ts";
import { fetchPromtool, promtool } from "./promtool.ts";

/**
 * Makes sure that there is a promtool to test with. Ends with 1 and a sentence when it cannot be had.
 */
try {
  await fetchPromtool();
  console.log(promtool());
} catch (error) {
  console.error(errorText(error));
  process.exitCode = 1;
}
