/**
 * Loaded into a router before its own code, so that its clock is wrong: a kernel has one for all hosts
 * that are namespaces of it. It works with the executable as well as with a checkout:
 *
 *   WRONG_CLOCK_MS=720000 BUN_OPTIONS="--preload /path/to/wrong-clock.ts" weave launch
 */
const right = Date.now.bind(Date);
const aheadMs = Number(process.env.WRONG_CLOCK_MS ?? 0);

Date.now = () => right() + aheadMs;
