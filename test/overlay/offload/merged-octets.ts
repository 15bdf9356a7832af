import { concatBytes } from "../../../lib/base/bytes.ts";
import type { MergedRun } from "../../../lib/overlay/offload/merged-run.ts";

/** The super-frame that a finished run is, in one piece. */
export function octetsOf(run: MergedRun): Uint8Array {
  const parts = [run.bytes.slice(run.at, run.at + run.headSize)];
  for (let i = 0; i < run.count; i++) {
    const size = i === run.count - 1 ? run.lastSize : run.segmentSize;
    parts.push(run.bytes.slice(run.payloadsAt[i]!, run.payloadsAt[i]! + size));
  }
  return concatBytes(...parts);
}
