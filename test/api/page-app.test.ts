import { beforeAll, describe, expect, test } from "bun:test";
import type { Hono } from "hono";
import { pageApp } from "../../lib/api/page-app.ts";
import { PictureLog } from "../../lib/api/picture-log.ts";
import { assemblePage } from "../../lib/ui/read-page.ts";
import { loneWorld } from "../sim/world.ts";
import { Alone } from "./test-router.ts";

const token = "0123456789abcdef0123456789abcdef";
const own = { Host: "127.0.0.1:6785" };
const inside = { ...own, Authorization: `Bearer ${token}` };
let app: Hono;

beforeAll(() => {
  const page = assemblePage({ script: "let a = 1;", style: "p { margin: 0 }" });
  const { world } = loneWorld();
  const parts = { token, pictures: new PictureLog(world), log: world.log };
  app = pageApp(new Alone().router, page, parts);
});

function get(path: string, headers: Record<string, string> = inside): Promise<Response> {
  return Promise.resolve(app.fetch(new Request(`http://127.0.0.1:6785${path}`, { headers })));
}

describe("the page's address", () => {
  test("gives the page to who follows the link, and no cookie, which other ports would get", async () => {
    const page = await get("/", { ...own, "Sec-Fetch-Site": "cross-site" });
    expect(page.status).toBe(200);
    expect(page.headers.get("Set-Cookie")).toBeNull();
    const text = await page.text();
    expect(text).toContain("let a = 1;");
    expect(text).not.toContain(token);
  });

  test.each([
    ["without a token", "/picture", own],
    ["with another token", "/picture", { ...own, Authorization: `Bearer ${"0".repeat(32)}` }],
    ["with part of one", "/picture", { ...own, Authorization: "Bearer 0123" }],
    ["with the token in another way", "/picture", { ...own, Authorization: `Basic ${token}` }],
    ["with the token in the address", `/picture?token=${token}`, own],
    ["with the token in a cookie", "/picture", { ...own, Cookie: `weave-page=${token}` }],
    ["whatever there is not without a token", "/policy", own],
    ["from another site's page", "/picture", { ...inside, "Sec-Fetch-Site": "cross-site" }],
    ["from another port's page", "/picture", { ...inside, "Sec-Fetch-Site": "same-site" }],
    ["with another origin", "/picture", { ...inside, Origin: "http://127.0.0.1:80" }],
    ["under another host's name", "/", { ...inside, Host: "evil.example:6785" }],
  ])("refuses %s", async (_, path, headers) => {
    const answer = await get(path, headers);
    expect(answer.status).toBe(403);
    expect(await answer.text()).not.toContain("let a");
  });

  test("says why it refuses, and what prints a link", async () => {
    expect(await (await get("/picture", own)).text()).toBe(
      "this tab has no link: 'weave ui' prints one that lets you in\n",
    );
    const former = { ...own, Authorization: `Bearer ${"f".repeat(32)}` };
    expect(await (await get("/picture", former)).text()).toBe(
      "this link is of an earlier run: 'weave ui' prints one that lets you in\n",
    );
  });

  test("lets nothing run but the page's own script, and nothing be loaded from elsewhere", async () => {
    const { headers } = await get("/");
    const policy = headers.get("Content-Security-Policy")!;
    const hash = (text: string) =>
      `'sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}'`;
    expect(policy.split("; ")).toContain("default-src 'none'");
    expect(policy.split("; ")).toContain(`script-src ${hash("let a = 1;")}`);
    expect(policy.split("; ")).toContain(`style-src ${hash("p { margin: 0 }")}`);
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
  });

  test("reads, and changes nothing", async () => {
    expect(await (await get("/picture")).json()).toMatchObject({ version: "3.0.0" });
    const whole = (await (await get("/picture/changes?since=")).json()) as { version: string };
    expect(whole).toMatchObject({ picture: { version: "3.0.0" } });
    const since = await get(`/picture/changes?since=${whole.version}`);
    expect(await since.json()).toEqual({ version: whole.version, changes: [] });
    expect((await get("/events")).status).toBe(200);
    expect((await get("/why?from=10.32.0.1")).status).toBe(200);
    expect((await get("/doctor")).status).toBe(200);
    const ends = "from=10.32.0.1&to=10.32.0.2";
    const ways = await get(`/policy/ways?${ends}`);
    expect(await ways.json()).toMatchObject({ enforced: false, ways: [{ from: "10.32.0.1" }, {}] });
    expect((await get(`/policy/explain?${ends}`)).status).toBe(200);
    expect((await get("/policy/ways?from=10.32.0.1")).status).toBe(400);
    expect((await get("/policy")).status).toBe(404);
    for (const path of [
      "/policy/apply",
      "/policy/delete",
      "/policy/test",
      "/connect",
      "/ip/a",
      "/peer",
      "/ui",
      "/expose",
    ]) {
      const request = new Request(`http://127.0.0.1:6785${path}`, {
        ...{ method: "POST", headers: inside },
      });
      expect((await app.fetch(request)).status).toBe(404);
    }
  });
});
