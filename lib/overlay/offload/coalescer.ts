import { MergedRun } from "./merged-run.ts";
import { Segment } from "./segment.ts";

/** Flows that are merged at the same time; beyond it the oldest run is finished. */
export const openRunsMax = 8;

/** Where frames go, in the order in which they leave. */
export interface CoalescerOutput {
  /** One frame, as it was added. */
  alone(bytes: Uint8Array, at: number, length: number): void;
  /** At least two frames as one; valid during the call, its octets until the coalescer's flush. */
  merged(run: MergedRun): void;
}

/**
 * Makes super-frames of what follows each other, by the rules of the kernel's receive offload: same
 * headers, consecutive numbers, equal sizes up to a shorter last one, no TCP flags but ACK and, at
 * the end, PSH.
 *
 *   add ──▶ continues the open run of its flow? ──yes──▶ joined; short or pushed: run goes out
 *                     │ no
 *                     ├─▶ the run of its flow goes out
 *                     └─▶ begins a run, or, if it is no segment at all, goes out alone
 *
 * So the order within a flow never changes. A frame of no known flow overtakes nothing.
 *
 * Containers take a merged frame as checked. Every segment's own checksum is therefore verified
 * here, whatever protected the datagram it came in: only that covers all the way from the sender,
 * and a frame that was damaged before it was captured is left for the receiver to refuse.
 *
 * Frames must stay where they are until {@link flush}; their first headers are written over.
 */
export class Coalescer {
  readonly #output: CoalescerOutput;
  /** Oldest first. */
  readonly #open: MergedRun[] = [];
  readonly #free: MergedRun[] = Array.from({ length: openRunsMax }, () => new MergedRun());
  readonly #segment = new Segment();
  /** Whether UDP is merged too: kernels before 6.2 do not take it. */
  mergesUdp = true;

  constructor(output: CoalescerOutput) {
    this.#output = output;
  }

  add(bytes: Uint8Array, at: number, length: number): void {
    const segment = this.#segment;
    segment.read(bytes, at, length);
    if (segment.kind === "none") {
      this.flush();
      this.#output.alone(bytes, at, length);
      return;
    }
    const run = this.#find(bytes, at);
    const isMergeable =
      segment.kind === "segment" &&
      (segment.isTcp || this.mergesUdp) &&
      segment.verifies(bytes, at, length);
    if (run !== undefined) {
      if (isMergeable && run.join(segment, bytes, at)) {
        if (run.isClosed || segment.isPushed) this.#close(run);
        return;
      }
      this.#close(run);
    }
    if (isMergeable && !segment.isPushed) this.#begin(bytes, at);
    else this.#output.alone(bytes, at, length);
  }

  #find(bytes: Uint8Array, at: number): MergedRun | undefined {
    const open = this.#open;
    for (let i = open.length - 1; i >= 0; i--) {
      if (open[i]!.isFlowOf(this.#segment, bytes, at)) return open[i];
    }
    return undefined;
  }

  #begin(bytes: Uint8Array, at: number): void {
    if (this.#free.length === 0) this.#close(this.#open[0]!);
    const run = this.#free.pop()!;
    run.begin(this.#segment, bytes, at);
    this.#open.push(run);
  }

  #close(run: MergedRun): void {
    this.#open.splice(this.#open.indexOf(run), 1);
    this.#putOut(run);
  }

  #putOut(run: MergedRun): void {
    if (run.count === 1) this.#output.alone(run.bytes, run.at, run.firstLength);
    else {
      run.finish();
      this.#output.merged(run);
    }
    this.#free.push(run);
  }

  /** Lets go of everything: no frame waits for another beyond its burst. */
  flush(): void {
    for (const run of this.#open) this.#putOut(run);
    this.#open.length = 0;
  }
}
