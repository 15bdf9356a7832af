import { errorCode } from "../../lib/base/errors.ts";
import { claimPidFile } from "../../lib/daemon/pid-file.ts";

/** Claims a pid file as soon as its input says so, answers with how that went, and lives on until the input ends. */
const lines = console[Symbol.asyncIterator]();
console.log("ready");
await lines.next();
try {
  claimPidFile(Bun.argv[2]!);
  console.log("claimed");
} catch (error) {
  console.log(errorCode(error));
}
await lines.next();
