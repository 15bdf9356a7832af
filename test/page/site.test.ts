import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { buildSite } from "../../build/site.ts";
import { openBrowser } from "./browser.ts";

/** The site of the documentation, in a browser, opened as the files that it is. */
describe("the site of the documentation", () => {
  const folder = mkdtempSync(join(tmpdir(), "weave-site-"));
  const stack = new AsyncDisposableStack();
  let browser: Browser;
  let pages: string[];
  beforeAll(async () => {
    stack.defer(() => rmSync(folder, { recursive: true }));
    const site = join(folder, "site");
    await buildSite(site);
    pages = readdirSync(site).filter(
      (name) => name.endsWith(".html") && !name.startsWith("playground"),
    );
    browser = await openBrowser(folder);
    stack.defer(() => browser.close());
  });
  afterAll(() => stack.disposeAsync());

  /** A page, and what its console says and whom else it asks. */
  async function visit(name: string, options: BrowserContextOptions = {}) {
    const page: Page = await browser.newPage(options);
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", ({ message }) => complaints.push(message));
    page.on("request", (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(`asks ${request.url()}`);
    });
    await page.goto(`file://${join(folder, "site", name)}`);
    return { page, complaints, [Symbol.asyncDispose]: () => page.close() };
  }

  test("fits a phone: no page is wider, and nothing complains", async () => {
    await using seen = await visit("index.html", { viewport: { width: 390, height: 844 } });
    const wide: string[] = [];
    for (const name of pages) {
      await seen.page.goto(`file://${join(folder, "site", name)}`);
      const width = await seen.page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 390) wide.push(`${name}: ${width}`);
    }
    expect({ wide, said: seen.complaints }).toEqual({ wide: [], said: [] });
  });

  test("is searched by keyboard alone, and leads to what was found", async () => {
    await using seen = await visit("first-network.html");
    const { page } = seen;
    await page.keyboard.press("/");
    await page.keyboard.type("another password");
    await page.waitForSelector(".results li");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/security\.html#another-password$/);
    expect(seen.complaints).toEqual([]);
  });

  test("has its pages behind a link on a phone, without any script", async () => {
    const phone = { viewport: { width: 390, height: 844 }, javaScriptEnabled: false };
    await using seen = await visit("index.html", phone);
    const list = seen.page.getByRole("navigation", { name: "Pages" });
    expect(await list.isVisible()).toBe(false);
    await seen.page.getByRole("link", { name: "Pages", exact: true }).click();
    expect(await list.isVisible()).toBe(true);
  });

  test("is dark where readers want that", async () => {
    const colour = async (colorScheme: "dark" | "light") => {
      await using seen = await visit("index.html", { colorScheme });
      return await seen.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    };
    expect(await colour("light")).toBe("rgb(255, 255, 255)");
    expect(await colour("dark")).toBe("rgb(20, 23, 28)");
  });
});
