import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type ContainerEvent, EventLines, eventsPath } from "../../lib/docker/event-lines.ts";

const id = "ab".repeat(32);

/** As Docker 20.10 sends it. */
const older = `{"status":"die","id":"${id}","from":"bb","Type":"container","Action":"die","Actor":{"ID":"${id}","Attributes":{"exitCode":"0","image":"bb","name":"käse"}},"scope":"local","time":1,"timeNano":1}`;
/** As 1.52 does. */
const newer = `{"Type":"container","Action":"start","Actor":{"ID":"${id}","Attributes":{"name":"web"}},"scope":"local","time":1,"timeNano":1}`;
const others = [
  '{"Type":"network","Action":"connect","Actor":{"ID":"x"}}',
  `{"Type":"container","Action":"exec_die","Actor":{"ID":"${id}"}}`,
  '{"Type":"container","Action":"die"}',
  "null",
  "",
];

function read(chunks: readonly Uint8Array[]): ContainerEvent[] {
  const lines = new EventLines();
  return chunks.flatMap((chunk) => lines.push(chunk));
}

describe("events of an engine", () => {
  const stream = new TextEncoder().encode([older, ...others, newer, ""].join("\n"));

  test("are read in the old form and the new one, and others left out", () => {
    expect(read([stream])).toEqual([
      { action: "die", id },
      { action: "start", id },
    ]);
  });

  test("are the same however they are cut into pieces", () => {
    const cuts = fc.array(fc.nat({ max: stream.length }), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, (at) => {
        const ends = [...at.toSorted((a, b) => a - b), stream.length];
        const chunks = ends.map((end, index) => stream.subarray(ends[index - 1] ?? 0, end));
        expect(read(chunks)).toEqual(read([stream]));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("that are no JSON, or do not end, are an error and no more", () => {
    const junk = new TextEncoder().encode("<html>\n");
    expect(() => read([junk])).toThrow("no JSON");
    const endless = Array.from({ length: 5 }, () => new Uint8Array(1 << 20).fill(0x61));
    expect(() => read(endless)).toThrow("does not end");
  });

  test("are asked for by type and kind", () => {
    expect(decodeURIComponent(eventsPath)).toBe(
      '/events?filters={"type":["container"],"event":["start","die","destroy"]}',
    );
  });
});
