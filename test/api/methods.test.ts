import { describe, expect, test } from "bun:test";
import { controlApp } from "../../lib/api/app.ts";
import type { Log } from "../../lib/base/world.ts";
import { silentLog } from "../../lib/base/world.ts";
import { Alone, ask } from "./test-router.ts";

/** Every path of the control API with the methods it names. */
function paths(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { path, method } of new Alone().app.routes) {
    if (method === "ALL") continue;
    const example = path.replaceAll(/:\w+/g, "1");
    found.set(example, [...(found.get(example) ?? []), method].sort());
  }
  return found;
}

describe("a known path", () => {
  for (const [path, known] of paths()) {
    test(`${path} refuses methods other than ${known.join(", ")} without doing anything`, async () => {
      const alone = new Alone();
      const all = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
      for (const method of all.filter((each) => !known.includes(each))) {
        const answer = await alone.ask(method, path);
        expect(answer).toMatchObject({ status: 405, body: "", type: null });
      }
      const { headers } = await alone.ask("PATCH", path);
      expect(headers.get("Allow")).toBe(known.join(", "));
      expect(alone.router.ipam!.allocator.status().ranges).toBeUndefined();
    });
  }
});

describe("an unknown path", () => {
  for (const path of ["/", "/proxyaddr", "/status/", "/ip/", "/ip/a/", "/report/x", "/%2e%2e/x"]) {
    test(`${path} is not found, whatever the method`, async () => {
      for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"]) {
        expect(await new Alone().ask(method, path)).toMatchObject({
          status: 404,
          body: "404 page not found\n",
          type: "text/plain; charset=utf-8",
        });
      }
      expect(await new Alone().ask("HEAD", path)).toMatchObject({ status: 404, body: "" });
    });
  }
});

describe("a path with doubled slashes", () => {
  test("is answered by the way to the clean one on this host, with its query", async () => {
    const answer = await new Alone().ask("GET", "//ip///a?check-alive=true");
    expect(answer.status).toBe(301);
    expect(answer.headers.get("Location")).toBe("/ip/a?check-alive=true");
  });
});

describe("requests", () => {
  test("are logged for who debugs", async () => {
    const lines: string[] = [];
    const log: Log = { ...silentLog, debug: (line) => lines.push(line) };
    const app = controlApp(new Alone().router, log);
    await ask(app, "POST", "/ip/a?check-alive=true", { form: "secret=1" });
    await ask(app, "GET", "/nowhere");
    expect(lines).toEqual(["[http] POST /ip/a?check-alive=true", "[http] GET /nowhere"]);
  });

  test("that fail for a reason of ours get 500 with a sentence, and no more", async () => {
    const { router } = new Alone();
    router.report = () => Promise.reject(new TypeError("undefined is not a function"));
    const answer = await ask(controlApp(router), "GET", "/status");
    expect(answer).toMatchObject({ status: 500, body: "undefined is not a function\n" });
  });
});
