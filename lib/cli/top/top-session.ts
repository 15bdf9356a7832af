import type { CommandContext } from "../context.ts";
import { findingsAtAGlance } from "../live/findings-at-a-glance.ts";
import { followEvents } from "../live/follow-events.ts";
import { latestEvents } from "../live/latest-events.ts";
import { type NetworkReading, readNetwork } from "../live/network-reading.ts";
import { machinePace, type Pace, repeat } from "../live/repeat.ts";
import { glyphsOf } from "../terminal/glyphs.ts";
import type { Screen } from "../terminal/screen.ts";
import { lineText } from "../terminal/spans.ts";
import { afterwards } from "./afterwards.ts";
import { topFrame } from "./top-frame.ts";
import { emptyState, type Happening, type TopState } from "./top-state.ts";

/** The diagnosis looks at more than a reading does. */
const findingsMs = 60_000;

/**
 * A screen, until somebody has seen enough:
 *
 *   readings, events, findings, keys ─▶ state ─▶ frame ─▶ screen
 */
export class TopSession {
  readonly #context: CommandContext;
  readonly #pace: Pace = machinePace;
  readonly #over = new AbortController();
  #state: TopState;
  #changed = Promise.withResolvers<void>();

  constructor(context: CommandContext, reading: NetworkReading) {
    this.#context = context;
    this.#state = afterwards(emptyState, { what: "reading", reading });
  }

  async run(
    intervalMs: number,
    openScreen: NonNullable<CommandContext["openScreen"]>,
  ): Promise<void> {
    const signal = AbortSignal.any([this.#context.interrupts(), this.#over.signal]);
    signal.addEventListener("abort", () => this.#changed.resolve());
    using screen = openScreen({
      pressed: (key) => {
        if (key.name === "suspend") screen.suspend();
        else if (key.name === "redraw") this.#changed.resolve();
        else this.#happen({ what: "key", key });
      },
      resized: () => this.#changed.resolve(),
    });
    const tasks = [
      this.#draw(screen, signal),
      this.#read(intervalMs, signal),
      this.#hear(signal),
      this.#diagnose(signal),
    ];
    // When one ends, whatever the reason, so do all: nothing goes on behind a screen given back.
    await Promise.all(tasks.map((task) => task.finally(() => this.#over.abort())));
  }

  #happen(happening: Happening): void {
    this.#state = afterwards(this.#state, happening);
    this.#changed.resolve();
  }

  async #draw(screen: Screen, signal: AbortSignal): Promise<void> {
    const { environment, stdout } = this.#context;
    const glyphs = glyphsOf(environment);
    const isColoured = stdout.isColoured === true;
    while (!signal.aborted && !this.#state.isOver) {
      this.#changed = Promise.withResolvers();
      const frame = topFrame(this.#state, screen.size, glyphs);
      screen.show(frame.map((line) => lineText(line, isColoured)));
      await this.#changed.promise;
    }
  }

  #read(intervalMs: number, signal: AbortSignal): Promise<void> {
    const { api } = this.#context;
    return repeat({
      ...{ intervalMs, signal, pace: this.#pace },
      look: async () => {
        this.#happen({ what: "reading", reading: await readNetwork(api, "own", signal) });
      },
      missed: (sentence) => this.#happen({ what: "missed", sentence }),
    });
  }

  #hear(signal: AbortSignal): Promise<void> {
    return followEvents(this.#context.api, {
      ...{ signal, pace: this.#pace, query: latestEvents() },
      heard: (event) => this.#happen({ what: "event", event }),
    });
  }

  #diagnose(signal: AbortSignal): Promise<void> {
    const { api } = this.#context;
    return repeat({
      ...{ intervalMs: findingsMs, isAtOnce: true, signal, pace: this.#pace },
      look: async () => {
        this.#happen({ what: "findings", findings: await findingsAtAGlance(api, signal) });
      },
      // A router that does not answer is told of where it is read.
      missed() {},
    });
  }
}
