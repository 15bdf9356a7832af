import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions } from "playwright-core";
import { tellPeriodMs } from "../../lib/links/audience.ts";
import { type Container, type Host, Lab } from "../hosts/lab.ts";
import { must } from "../hosts/shell.ts";
import { openBrowser, Visit } from "./browser.ts";
import { pretendCluster } from "./pretended-cluster.ts";

/**
 * Takes the pictures of docs/images: the page of three hosts, and of 200 with 5000 containers. Says
 * what the page costs: until the first paint, and on the router's host while it is open.
 *
 *   bun run build && WEAVE_BINARY=dist/weave bun test/page/pictures.ts
 */
const folder = process.env.PAGE_PICTURES ?? join(import.meta.dir, "../../docs/images");
mkdirSync(folder, { recursive: true });
/** For circles to find their places. */
const settleMs = 4000;
/** In which hosts tell of their links twice. */
const toldMs = 7000;
/** Over which the router's processor time is taken. */
const openMs = 20_000;

await using lab = await Lab.onSwitch("pp", 3);
const [one, two, three] = lab.hosts as [Host, Host, Host];
const containers = new Map<string, Container>();
for (const host of lab.hosts) {
  // One of them as a kernel without a fast datapath has it.
  host.fastdp = host !== three;
  await host.launch(host === one ? [] : [one.ip]);
}
await one.established(2);
await two.established(2);
for (const host of lab.hosts) {
  for (const tier of ["web", "db", "cache"]) {
    const name = `${tier}-${host.number}`;
    const container = await host.container(name);
    const labels = ["--label", `tier=${tier}`, "--label", "team=shop"];
    await host.mustWeave(["attach", container.reference, ...labels]);
    await host.mustWeave(["dns-add", container.reference, "-h", `${name}.weave.local`]);
    containers.set(name, container);
  }
}
await must(["ip", "-n", one.namespace, "link", "set", "lo", "up"]);
const url = await one.mustWeave(["ui"]);
const policy = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db-for-web}
spec:
  podSelector: {matchLabels: {tier: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {tier: web}}}]
      ports: [{port: 5432}]
`;

async function addressOf(name: string): Promise<string> {
  const show = ["ip", "-4", "-o", "addr", "show", "dev", "ethwe"];
  return /inet ([\d.]+)/.exec(await must(containers.get(name)!.command(show)))![1]!;
}

/** Traffic for the pictures: some packets a second, from one container to another. */
async function sends(from: string, to: string, intervalSeconds: number): Promise<Disposable> {
  const ping = ["ping", "-q", "-s", "1200", "-i", String(intervalSeconds), await addressOf(to)];
  const pinging = Bun.spawn(containers.get(from)!.command(ping), { stdout: "ignore" });
  return { [Symbol.dispose]: () => pinging.kill() };
}

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
  const ask = (question: RegExp, from: string, to: string, answer: string) => async (of: Visit) => {
    await of.search(from);
    await of.page.getByRole("button", { name: question }).click();
    await of.search(to);
    await of.shows(answer);
    await of.page.getByRole("searchbox").fill("");
    await of.page.waitForTimeout(settleMs / 4);
  };
  const chooseLink = async (visit: Visit): Promise<void> => {
    await visit.page.getByRole("button", { name: "host2", exact: true }).click();
    await visit.page.getByRole("button", { name: "host1", exact: true }).click();
    await visit.page.waitForTimeout(3 * settleMs);
  };
  {
    using _fast = await sends("web-1", "cache-2", 0.004);
    using _slow = await sends("db-3", "cache-1", 0.05);
    using _others = await sends("web-3", "web-2", 0.02);
    const busy = async (visit: Visit): Promise<void> => {
      await visit.shows(/^↑ \d.*[kM]bit/);
      // Twice, so that there is a difference.
      await visit.page.waitForTimeout(toldMs);
    };
    await take("page-dark", { viewport: wide, colorScheme: "dark" }, busy);
    await take("page-light", { viewport: wide, colorScheme: "light" }, busy);
    await take("page-phone", { viewport: narrow, colorScheme: "dark" }, busy);
    await take("page-link", { viewport: wide, colorScheme: "dark" }, chooseLink);
  }
  const answer = "nothing found in the way";
  const why = ask(/^Why does it/, "web-2", "db-1", answer);
  await take("page-why", { viewport: wide, colorScheme: "light" }, why);
  await take("page-labels", { viewport: wide, colorScheme: "light" }, async ({ page }) => {
    await page.getByLabel("Group by").selectOption("label tier");
    await page.getByRole("tab", { name: "Addresses" }).click();
    await page.waitForTimeout(settleMs);
  });
  await one.mustWeave(["policy", "apply", "-f", "-"], { stdin: policy });
  const verdict = ask(/^May it connect/, "web-2", "db-1", "✓ allowed");
  await take("page-verdict", { viewport: wide, colorScheme: "light" }, verdict);
  await containers.get("cache-2")!.exec(["ping", "-c", "1", "-W", "1", await addressOf("db-1")]);
  await three.mustWeave(["stop"]);
  await take("page-problems", { viewport: wide, colorScheme: "dark" }, async (visit) => {
    await visit.page.getByRole("tab", { name: /^Problems/ }).click();
    await visit.page.getByRole("button", { name: /blocked by policy/ }).click();
    await visit.page.waitForTimeout(settleMs);
  });
  await three.launch([one.ip]);
  await one.mustWeave(["policy", "delete", "default/db-for-web"]);
  await one.established(2);

  await using visit = await Visit.of(browser, url, { viewport: wide });
  await visit.page.waitForTimeout(settleMs);
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
  console.log(`3 hosts: ${octetsTold(visit, settleMs + openMs)}`);
}

await using cluster = await pretendCluster(200, 5000);
await using browser = await openBrowser(lab.folder);
await using visit = await Visit.of(browser, cluster.url, {
  ...{ viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
});
await visit.shows("200 hosts");
// All hosts tell twice.
const tellingMs = 2.2 * tellPeriodMs(200);
await visit.page.waitForTimeout(tellingMs);
await visit.page.screenshot({ path: join(folder, "page-200-hosts.png") });
console.log(`200 hosts: first paint after ${await firstPaintMs(visit)} ms`);
console.log(`200 hosts: ${octetsTold(visit, tellingMs)}`);

/** Of what the page was told since its first picture. */
function octetsTold({ told }: Visit, overMs: number): string {
  const [whole, ...changes] = told;
  const sum = changes.reduce((total, each) => total + each, 0);
  const [each, perSecond] = [sum / changes.length, (1000 * sum) / overMs].map(Math.round);
  return `the picture has ${whole} octets, changes ${each} each of ${changes.length}, ${perSecond} a second`;
}

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
