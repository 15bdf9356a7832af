import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions } from "playwright-core";
import { type Host, Lab } from "../hosts/lab.ts";
import { must } from "../hosts/shell.ts";
import { openBrowser, Visit } from "./browser.ts";
import { pretendCluster } from "./pretended-cluster.ts";

/**
 * Takes the pictures of docs/images: the page of three hosts, and of 200 with 5000 containers. Says
 * what the page costs: until the first paint, and on the router's host while it is open.
 *
 *   bun run build && WEAVE_BINARY=dist/weave bun test/page/pictures.ts
 */
const folder = join(import.meta.dir, "../../docs/images");
mkdirSync(folder, { recursive: true });
/** For circles to find their places. */
const settleMs = 4000;
/** Over which the router's processor time is taken. */
const openMs = 20_000;

await using lab = await Lab.onSwitch("pp", 3);
const [one, ...others] = lab.hosts as [Host, ...Host[]];
for (const host of [one, ...others]) {
  host.fastdp = true;
  await host.launch(host === one ? [] : [one.ip]);
  for (const name of ["web", "db", "cache"]) {
    const container = await host.container(`${name}${host.number}`);
    await host.mustWeave(["attach", container.reference]);
    const fqdn = `${name}-${host.number}.weave.local`;
    await host.mustWeave(["dns-add", container.reference, "-h", fqdn]);
  }
}
await one.established(2);
await must(["ip", "-n", one.namespace, "link", "set", "lo", "up"]);
const url = await one.mustWeave(["ui"]);

{
  await using browser = await openBrowser(lab.folder, one);
  const wide = { width: 1280, height: 800 };
  const narrow = { width: 390, height: 844 };
  const take = async (
    name: string,
    options: BrowserContextOptions,
    act?: (of: Visit) => unknown,
  ) => {
    await using visit = await Visit.of(browser, url, options);
    await visit.page.waitForTimeout(settleMs);
    await act?.(visit);
    await visit.page.screenshot({ path: join(folder, `${name}.png`) });
    console.log(`${name}: first paint after ${await firstPaintMs(visit)} ms`);
  };
  const why = async (visit: Visit): Promise<void> => {
    await visit.search("web-2");
    await visit.page.getByRole("button", { name: /^Why does it/ }).click();
    await visit.search("db-1");
    await visit.shows("nothing found in the way");
  };
  await take("page-dark", { viewport: wide, colorScheme: "dark" });
  await take("page-light", { viewport: wide, colorScheme: "light" });
  await take("page-phone", { viewport: narrow, colorScheme: "dark" });
  await take("page-why", { viewport: wide, colorScheme: "light" }, why);

  await using visit = await Visit.of(browser, url, { viewport: wide });
  const pid = await one.routerPid();
  const before = await processorMs(pid);
  await visit.page.waitForTimeout(openMs);
  const share = ((await processorMs(pid)) - before) / openMs;
  await visit.page.goto("about:blank");
  const idle = await processorMs(pid);
  await visit.page.waitForTimeout(openMs);
  const without = ((await processorMs(pid)) - idle) / openMs;
  console.log(
    `router: ${(100 * share).toFixed(2)} % of a core with the page, ${(100 * without).toFixed(2)} % without`,
  );
}

await using cluster = await pretendCluster(200, 5000);
await using browser = await openBrowser(lab.folder);
await using visit = await Visit.of(browser, cluster.url, {
  ...{ viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
});
await visit.shows("200 hosts");
await visit.page.waitForTimeout(4 * settleMs);
await visit.page.screenshot({ path: join(folder, "page-200-hosts.png") });
console.log(`200 hosts: first paint after ${await firstPaintMs(visit)} ms`);

function firstPaintMs({ page }: Visit): Promise<number> {
  return page.evaluate(() => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return Math.round(paint?.startTime ?? 0);
  });
}

/** User and system time of a process and its threads. */
async function processorMs(pid: number): Promise<number> {
  const stat = await Bun.file(`/proc/${pid}/stat`).text();
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticksPerSecond = 100;
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}
