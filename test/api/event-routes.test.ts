import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Listener, listen } from "../../lib/api/listen.ts";
import { eventually } from "../hosts/shell.ts";
import { Alone, type TestRouter } from "./test-router.ts";

let router: TestRouter;
let listener: Listener;
let folder: string;

beforeEach(() => {
  const alone = new Alone();
  router = alone.router;
  folder = mkdtempSync(join(tmpdir(), "weave-api-events-"));
  listener = listen(alone.app, join(folder, "api.sock"));
});

afterEach(async () => {
  await listener.close();
  rmSync(folder, { recursive: true });
});

function get(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://localhost${path}`, { ...init, unix: listener.address });
}

const gone = (container: string): void => router.events.emit("container.gone", { container });

const line = (id: number, container: string): string =>
  `${JSON.stringify({
    ...{ id, at: "2026-01-02T15:04:05.000Z", kind: "container.gone" },
    ...{ text: `container ${container} is gone`, details: { container } },
  })}\n`;

/** How many follow, after whatever goes on has gone on. */
async function followers(): Promise<number> {
  await get("/domain");
  return router.events.followers;
}

/** What has come of an answer once it ends with `text`. */
async function heard(
  reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "read">,
  text: string,
): Promise<string> {
  let all = "";
  const decoder = new TextDecoder();
  while (!all.endsWith(text)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`it ended with ${all}`);
    all += decoder.decode(value, { stream: true });
  }
  return all;
}

describe("GET /events", () => {
  test("has a line for each event", async () => {
    gone("a");
    gone("b");
    const answer = await get("/events");
    expect(answer.headers.get("Content-Type")).toBe("application/x-ndjson");
    expect(await answer.text()).toBe(line(1, "a") + line(2, "b"));
    expect(await (await get("/events?after=1")).text()).toBe(line(2, "b"));
    expect(await (await get("/events?kind=link")).text()).toBe("");
    expect(await (await get("/events?since=2026-01-02T15:04:06Z")).text()).toBe("");
  });

  test.each([
    ["after=-1", "QUERY_INVALID"],
    ["after=12345678901234567890", "QUERY_INVALID"],
    ["since=yesterday", "QUERY_INVALID"],
    ["kind=link&kind=containers", "QUERY_INVALID"],
    ["kind=link.", "QUERY_INVALID"],
  ])("refuses %s", async (query, code) => {
    const answer = await get(`/events?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code });
  });

  test("goes on with events as they happen, of the kinds that are wanted", async () => {
    gone("a");
    const end = new AbortController();
    const answer = await get("/events?follow=true&kind=container", { signal: end.signal });
    const reader = answer.body!.getReader();
    expect(await heard(reader, "\n\n")).toBe(`${line(1, "a")}\n`);
    router.events.emit("host.mended", { what: "set up weave" });
    gone("b");
    expect(await heard(reader, "\n")).toBe(line(3, "b"));
    end.abort();
  });

  test("is a stream for browsers, which go on where they were", async () => {
    gone("a");
    gone("b");
    const end = new AbortController();
    const headers = { Accept: "text/event-stream", "Last-Event-ID": "1" };
    const answer = await get("/events?follow=true", { headers, signal: end.signal });
    expect(answer.headers.get("Content-Type")).toBe("text/event-stream");
    const text = await heard(answer.body!.getReader(), ":\n\n");
    expect(text).toBe(`id: 2\ndata: ${line(2, "b")}\n:\n\n`);
    end.abort();
  });

  test("follows for nobody who has gone", async () => {
    const end = new AbortController();
    const answer = await get("/events?follow=true", { signal: end.signal });
    const reader = answer.body!.getReader();
    await heard(reader, "\n");
    expect(router.events.followers).toBe(1);
    end.abort();
    await eventually("nobody follows", followers, (count) => count === 0);
  });

  test("cuts off who does not read", async () => {
    const answer = await get("/events?follow=true");
    const reader = answer.body!.getReader();
    await heard(reader, "\n");
    const more = (): Promise<number> => {
      router.nowMs += 1000;
      gone("x".repeat(1 << 20));
      return followers();
    };
    await eventually("nobody follows", more, (count) => count === 0);
    await reader.cancel().catch(() => {});
  });
});
