import { expect } from "bun:test";
import type { Outcome } from "../hosts/shell.ts";
import type { TestPods } from "./test-pods.ts";

/** For longer than anything that a stream is to outlast. */
const waitMs = 400_000;
const port = 9000;

/** `nc` ends with its input, which therefore never ends. */
const receive = `rm -f /tmp/nothing; mkfifo /tmp/nothing; exec 3<>/tmp/nothing; nc -l -p ${port} <&3`;

/** Lines with numbers, for as long as nobody says that it is enough. */
const count = "i=0; while [ ! -e /tmp/stop ]; do echo $i; i=$((i+1)); sleep 0.1; done; echo end";

/** One TCP connection between two pods, over which ten lines a second go. */
export class LineStream {
  readonly #pods: TestPods;
  readonly #from: string;
  readonly #sent: Promise<Outcome>;
  readonly #got: Promise<Outcome>;

  /** @param address of the pod `to` */
  constructor(pods: TestPods, from: string, to: string, address: string) {
    this.#pods = pods;
    this.#from = from;
    this.#got = pods.exec(to, ["sh", "-c", receive], { waitMs });
    // Until somebody listens there, attempts fail at once.
    const send = `{ ${count}; } | { until nc ${address} ${port}; do sleep 0.1; done; }`;
    this.#sent = pods.exec(from, ["sh", "-c", send], { waitMs });
  }

  /** Ends it, and checks that all lines have arrived, in their order. */
  async mustBeWhole(): Promise<void> {
    await this.#pods.mustExec(this.#from, ["touch", "/tmp/stop"]);
    expect((await this.#sent).code).toBe(0);
    const text = (await this.#got).stdout;
    expect(text).toEndWith("\nend\n");
    const lines = text.split("\n").slice(0, -2);
    expect(lines).toEqual(lines.map((_, at) => String(at)));
  }
}
