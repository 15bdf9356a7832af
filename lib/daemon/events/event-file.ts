import { existsSync, readFileSync } from "node:fs";
import * as v from "valibot";
import { eventDocument } from "../../api/event-routes.ts";
import { errorText } from "../../base/errors.ts";
import type { NetworkEvent } from "../../base/network-event.ts";
import type { Log } from "../../base/world.ts";
import { formerFile, RotatingFile } from "../rotating-file.ts";
import { Attempts } from "./attempts.ts";
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
 * Events in a file, a line of JSON each. A line that cannot be read, as one that a failure of power cut
 * off, is passed over; while nothing can be written the router goes on without.
 */
export class EventFile implements EventArchive, Disposable {
  readonly #path: string;
  readonly #log: Log;
  readonly #attempts: Attempts;
  #file: RotatingFile | undefined;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    this.#attempts = new Attempts(log, {
      fails: `events are not kept in ${path}`,
      worksAgain: () => `events are kept in ${path} again`,
    });
    this.#attempts.make(() => this.#open());
  }

  append(event: NetworkEvent): void {
    this.#attempts.make(() => this.#open().write(`${JSON.stringify(event)}\n`));
  }

  latest(countMax: number): NetworkEvent[] {
    const lines = [formerFile(this.#path), this.#path].flatMap((path) => this.#lines(path));
    return lines.slice(-countMax).flatMap((line) => readEvent(line) ?? []);
  }

  #open(): RotatingFile {
    this.#file ??= new RotatingFile(this.#path, fileBytesMax);
    return this.#file;
  }

  #lines(path: string): string[] {
    if (!existsSync(path)) return [];
    try {
      const lines = readFileSync(path, "utf8").split("\n");
      return lines.filter((line) => line !== "");
    } catch (error) {
      this.#log.warn(`events of earlier runs are not known: ${errorText(error)}`);
      return [];
    }
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
    this.#file = undefined;
  }
}

function readEvent(line: string): NetworkEvent | undefined {
  try {
    const event = v.parse(lineSchema, JSON.parse(line)) as NetworkEvent;
    // Another release may know more kinds than this one, or other details.
    eventDocument(event);
    return event;
  } catch {
    return undefined;
  }
}
