import { existsSync, readFileSync } from "node:fs";
import * as v from "valibot";
import { errorText } from "../../base/errors.ts";
import { eventKinds } from "../../base/event-kinds.ts";
import type { NetworkEvent } from "../../base/network-event.ts";
import type { Log } from "../../base/world.ts";
import { formerFile, RotatingFile } from "../rotating-file.ts";
import type { EventArchive } from "./event-journal.ts";

/** Of each of the two files that a host spends. About 20,000 events. */
const fileBytesMax = 4 << 20;

/** As much of it as is looked at here; details are those of its kind. */
const lineSchema = v.object({
  id: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  atMs: v.number(),
  kind: v.string(),
  details: v.record(v.string(), v.unknown()),
  by: v.optional(
    v.object({
      kind: v.string(),
      user: v.optional(v.string()),
      pid: v.optional(v.number()),
    }),
  ),
});

/**
 * Events in a file, a line of JSON each. A line that cannot be read, as the last one after a failure
 * of power, is passed over; where nothing can be written the router goes on without.
 */
export class EventFile implements EventArchive, Disposable {
  readonly #path: string;
  readonly #log: Log;
  #file: RotatingFile | undefined;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    this.#file = this.#tried(() => new RotatingFile(path, fileBytesMax));
  }

  append(event: NetworkEvent): void {
    const file = this.#file;
    if (file === undefined) return;
    const isWritten = this.#tried(() => {
      file.write(`${JSON.stringify(event)}\n`);
      return true;
    });
    // One sentence in the log is enough.
    if (isWritten === undefined) this.#file = undefined;
  }

  latest(countMax: number): NetworkEvent[] {
    const texts = [formerFile(this.#path), this.#path].map(
      (path) => this.#tried(() => (existsSync(path) ? readFileSync(path, "utf8") : "")) ?? "",
    );
    const lines = texts.flatMap((text) => text.split("\n")).filter((line) => line !== "");
    return lines.slice(-countMax).flatMap((line) => readEvent(line) ?? []);
  }

  #tried<Result>(action: () => Result): Result | undefined {
    try {
      return action();
    } catch (error) {
      this.#log.warn(`events are not kept in ${this.#path}: ${errorText(error)}`);
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
    this.#file = undefined;
  }
}

function readEvent(line: string): NetworkEvent | undefined {
  try {
    const event = v.parse(lineSchema, JSON.parse(line));
    // Another release may know more kinds than this one.
    return event.kind in eventKinds ? (event as NetworkEvent) : undefined;
  } catch {
    return undefined;
  }
}
