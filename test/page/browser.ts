import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Host } from "../hosts/lab.ts";

/** How long somebody waits for something to be seen, in ms. */
const patienceMs = 30_000;

/** A browser on a host of a lab, or on this machine. @throws Error without Chromium */
export async function openBrowser(folder: string, host?: Host): Promise<Browser> {
  const program = Bun.which("chromium");
  if (program === null) throw new Error("install Debian's package chromium");
  const path = join(folder, "chromium");
  const where = host === undefined ? "" : `nsenter --net=/run/netns/${host.namespace} `;
  writeFileSync(path, `#!/bin/sh\nexec ${where}${program} "$@"\n`);
  chmodSync(path, 0o755);
  return chromium.launch({ executablePath: path, args: ["--no-sandbox", "--disable-gpu"] });
}

/** A page that has been loaded, and what its console said. */
export class Visit implements AsyncDisposable {
  readonly page: Page;
  /** Warnings, errors, and requests to anywhere else. */
  readonly complaints: string[] = [];
  /** Octets of what it was told of the network: the whole picture, and then what has changed. */
  readonly told: number[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(patienceMs);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
    page.on("response", async (response) => {
      if (!response.url().includes("/picture/changes")) return;
      this.told.push((await response.body().catch(() => "")).length);
    });
    page.on("pageerror", ({ message }) => this.complaints.push(message));
  }

  static async of(browser: Browser, url: string, options: BrowserContextOptions = {}) {
    const visit = new Visit(await browser.newPage(options));
    const { origin } = new URL(url);
    visit.page.on("request", (request) => {
      const to = new URL(request.url());
      if (to.protocol !== "data:" && to.origin !== origin) visit.complaints.push(`asks ${to}`);
    });
    await visit.page.goto(url);
    await visit.page.waitForSelector(".app, .play");
    return visit;
  }

  /** Waits until the details have this. */
  async tells(text: string | RegExp): Promise<void> {
    await this.page.locator("aside").filter({ hasText: text }).waitFor();
  }

  async shows(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  async search(query: string): Promise<void> {
    await this.page.keyboard.press("/");
    await this.page.getByRole("searchbox").fill(query);
    await this.page.keyboard.press("Enter");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.page.close();
  }
}
