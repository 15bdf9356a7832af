import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { type Container, type Host, Lab } from "../hosts/lab.ts";
import { must } from "../hosts/shell.ts";
import { openBrowser, Visit } from "./browser.ts";
import { unreadable } from "./legibility.ts";
import { pretendCluster } from "./pretended-cluster.ts";

describe("the page of three hosts", () => {
  let lab: Lab;
  let browser: Browser;
  let url: string;
  const containers: Container[] = [];

  beforeAll(async () => {
    lab = await Lab.onSwitch("pg", 3);
    const [one] = lab.hosts as [Host, ...Host[]];
    for (const host of lab.hosts) {
      host.fastdp = true;
      await host.launch(host === one ? [] : [one.ip]);
      const container = await host.container(`c${host.number}`);
      await host.mustWeave(["attach", container.reference]);
      await host.mustWeave([
        "dns-add",
        container.reference,
        "-h",
        `web-${host.number}.weave.local`,
      ]);
      containers.push(container);
    }
    await one.established(2);
    await must(["ip", "-n", one.namespace, "link", "set", "lo", "up"]);
    browser = await openBrowser(lab.folder, one);
    url = await one.mustWeave(["ui"]);
  });

  afterAll(async () => {
    await browser?.close();
    await lab?.[Symbol.asyncDispose]();
  });

  test("shows hosts, containers and links, and complains of nothing", async () => {
    await using visit = await Visit.of(browser, url);
    await visit.shows("3 hosts · 3 containers · 3 links");
    expect(await visit.details()).toContain("host1 1 container, this host");
    expect(visit.page.url()).not.toContain("token");
    expect(visit.complaints).toEqual([]);
  });

  test("finds, explains, and says why one reaches another", async () => {
    await using visit = await Visit.of(browser, url);
    await visit.search("web-2");
    await visit.shows("web-2.weave.local.");
    expect(await visit.details()).toContain("host2");
    await visit.page.getByRole("button", { name: /^Why does it/ }).click();
    await visit.search("web-1");
    await visit.shows("web-2 → web-1");
    await visit.shows("nothing found in the way");
    expect(await visit.details()).toMatch(/overlay: fastdp/);
    await visit.page.keyboard.press("Escape");
    await visit.shows("Hosts");
    expect(visit.complaints).toEqual([]);
  });

  test("shows a host that dies and comes back, and tells of it", async () => {
    await using visit = await Visit.of(browser, url);
    const [one, , three] = lab.hosts as [Host, Host, Host];
    await three.mustWeave(["stop"]);
    await visit.shows("2 hosts · 2 containers · 1 link");
    await visit.page.getByRole("tab", { name: "Events" }).click();
    await visit.shows("link.lost");
    await three.launch([one.ip]);
    await visit.shows("3 hosts");
    await visit.shows("link.established");
    expect(visit.complaints).toEqual([]);
  });

  test("can be used without a mouse", async () => {
    await using visit = await Visit.of(browser, url);
    const names: string[] = [];
    for (let step = 0; step < 14; step++) {
      await visit.page.keyboard.press("Tab");
      names.push(
        await visit.page.evaluate(() => {
          const { activeElement: at } = document;
          return (
            at?.getAttribute("aria-label") ??
            at?.closest("label")?.textContent ??
            at?.textContent ??
            ""
          );
        }),
      );
    }
    for (const name of ["Search", "Group by", "Zoom in", "Show everything", "Events", "host2"]) {
      expect(names.some((each) => each.includes(name))).toBe(true);
    }
    await visit.page.getByRole("button", { name: "host2" }).focus();
    await visit.page.keyboard.press("Enter");
    expect(await visit.details()).toContain("Host host2");
  });

  for (const colorScheme of ["dark", "light"] as const) {
    test(`is legible and has a name for everything, ${colorScheme}, also on a phone`, async () => {
      const viewport = { width: 390, height: 844 };
      await using visit = await Visit.of(browser, url, { colorScheme, viewport });
      await visit.search("web-1");
      expect(await unreadable(visit.page)).toEqual([]);
      const isWider = () => document.documentElement.scrollWidth > innerWidth;
      expect(await visit.page.evaluate(isWider)).toBe(false);
      expect(visit.complaints).toEqual([]);
    });
  }
});

describe("the page of 200 hosts with 5000 containers", () => {
  test("shows them all, and finds one", async () => {
    await using cluster = await pretendCluster(200, 5000);
    await using lab = await Lab.onSwitch("pb", 1);
    const browser = await openBrowser(lab.folder);
    try {
      await using visit = await Visit.of(browser, cluster.url);
      await visit.shows("200 hosts · 5000 containers · 19900 links");
      await visit.search("c4711");
      await visit.shows("c4711.weave.local.");
      expect(visit.complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
