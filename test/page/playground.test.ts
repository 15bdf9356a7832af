import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { playgroundHtml } from "../../build/playground.ts";
import { writeBundleFile } from "../../lib/cli/bundle-file.ts";
import { makeBundle } from "../../lib/incident/make-bundle.ts";
import { exampleParts } from "../incident/example.ts";
import { openBrowser, Visit } from "./browser.ts";
import { unreadable } from "./legibility.ts";

const patience = { timeout: 60_000 };

describe("the simulator in a page", () => {
  let folder: string;
  let browser: Browser;
  let server: ReturnType<typeof Bun.serve>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "playground-"));
    const html = await playgroundHtml();
    const headers = { "Content-Type": "text/html; charset=utf-8" };
    server = Bun.serve({ port: 0, fetch: () => new Response(html, { headers }) });
    browser = await openBrowser(folder);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop(true);
    rmSync(folder, { recursive: true, force: true });
  });

  const visit = (options = {}) => Visit.of(browser, `${server.url}`, options);
  const press = (page: Page, name: string) =>
    page.getByRole("button", { name, exact: true }).click();
  const says = (page: Page, text: string) => page.getByText(text).first().waitFor(patience);
  const startContainer = async (page: Page, host: number) => {
    await press(page, `Host ${host}`);
    await press(page, "Start a container");
  };
  const addressesOf = async (page: Page, host: number): Promise<string[]> => {
    await press(page, `Host ${host}`);
    const things = await page.locator(".thing").allTextContents();
    return things.map((text) => text.split(" ")[1]!);
  };

  test("lets both halves of a cut network give out addresses, none of them twice", async () => {
    await using visited = await visit();
    const { page } = visited;
    await press(page, "10×");
    await says(page, "All 5 hosts reach each other, over 10 links.");
    await startContainer(page, 1);
    await says(page, "Every host answers for the one name.");
    await press(page, "Split off 3 and 4");
    await says(page, "The network is in 2 parts: 1, 2, 5 | 3, 4.");
    await says(page, "no address is lost in a partition");
    for (const host of [1, 3]) {
      await startContainer(page, host);
      await page
        .locator(".thing", { hasText: "10.32.0." })
        .nth(host === 1 ? 1 : 0)
        .waitFor(patience);
    }
    await press(page, "Heal all");
    await says(page, "Every host answers for all 3 names.");
    await says(page, "All 5 hosts reach each other, over 10 links.");
    const addresses = [...(await addressesOf(page, 1)), ...(await addressesOf(page, 3))];
    expect(addresses).toHaveLength(3);
    expect(new Set(addresses).size).toBe(3);
    expect(visited.complaints).toEqual([]);
  }, 180_000);

  test("is played by keyboard: one link cut and healed, one way cut, a router killed", async () => {
    await using visited = await visit();
    const { page } = visited;
    await press(page, "10×");
    await says(page, "over 10 links.");
    const link = page.getByRole("button", { name: /^Link between 1 and 2:/ });
    await link.focus();
    await page.keyboard.press("Enter");
    await says(page, "1 and 2 reach each other by way of others");
    await page.keyboard.press("Enter");
    await says(page, "over 10 links.");
    await page.keyboard.press("o");
    await says(page, "1 and 2 reach each other by way of others");
    const oneWay = { name: "Link between 1 and 2: 2 does not hear 1" };
    await page.getByRole("button", oneWay).waitFor(patience);
    await press(page, "Heal all");
    await press(page, "Host 5");
    await press(page, "Kill its router");
    await says(page, "The router of 5 is dead.");
    await press(page, "Start its router");
    await says(page, "over 10 links.");
    await press(page, "Pause");
    const clock = await page.locator(".clock").textContent();
    await press(page, "Step");
    await page.waitForFunction(
      (before) => document.querySelector(".clock")?.textContent !== before,
      clock,
      patience,
    );
    expect(visited.complaints).toEqual([]);
  }, 180_000);

  test("replays a bundle, and says what is wrong with a file that is none", async () => {
    const [file, other] = [join(folder, "incident.json.gz"), join(folder, "other")];
    const document = makeBundle(exampleParts(), { secrets: [], redact: [] });
    writeBundleFile(file, JSON.stringify(document));
    writeFileSync(other, "no bundle");
    await using visited = await visit();
    const { page } = visited;
    const input = page.getByLabel("Open a bundle");
    await input.setInputFiles(other);
    await says(page, "this is no bundle of weave");
    await input.setInputFiles(file);
    await says(page, "What incident.json.gz tells, replayed");
    await says(page, "One network: ada, bob, eve.");
    await press(page, "Next");
    await press(page, "Next");
    await says(page, "ada and eve are parted.");
    await page.getByRole("slider").fill("4");
    await says(page, "Everything is plugged in again");
    await press(page, "Back to five hosts");
    await says(page, "Five hosts with the real protocols");
    expect(visited.complaints).toEqual([]);
  }, 180_000);

  test("can be read, in the dark too, and fits a phone", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const viewport = colorScheme === "dark" ? { width: 360, height: 740 } : null;
      await using visited = await visit({ colorScheme, ...(viewport && { viewport }) });
      const { page } = visited;
      await press(page, "Split off 3 and 4");
      await startContainer(page, 2);
      expect(await unreadable(page)).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - window.innerWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
    }
  }, 180_000);
});
