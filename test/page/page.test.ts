import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { finding } from "../../lib/diagnosis/finding.ts";
import { type Container, type Host, Lab } from "../hosts/lab.ts";
import { eventually, must } from "../hosts/shell.ts";
import { openBrowser, Visit } from "./browser.ts";
import { unreadable } from "./legibility.ts";
import { nameOf, type PretendedCluster, pretendCluster } from "./pretended-cluster.ts";

/** On the way to `web-1` only TCP 80 is open, and only for `web-2`. */
const webPolicy = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-only}
spec:
  podSelector: {matchLabels: {app: web-1}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web-2}}}]
      ports: [{port: 80}]
`;

describe("the page of three hosts", () => {
  let lab: Lab;
  let browser: Browser;
  let url: string;
  const containers: Container[] = [];

  beforeAll(async () => {
    lab = await Lab.onSwitch("pg", 3);
    const [one, , three] = lab.hosts as [Host, Host, Host];
    for (const host of lab.hosts) {
      host.fastdp = host !== three;
      await host.launch(host === one ? [] : [one.ip]);
    }
    await one.established(2);
    for (const host of lab.hosts) {
      const container = await host.container(`c${host.number}`);
      const name = `web-${host.number}`;
      const label = `app=${name}`;
      await host.mustWeave(["attach", container.reference, "--label", label]);
      await host.mustWeave(["dns-add", container.reference, "-h", `${name}.weave.local`]);
      containers.push(container);
    }
    const nameless = await three.container("nameless");
    await three.mustWeave(["attach", nameless.reference, "--label", "app=queue"]);
    await must(["ip", "-n", one.namespace, "link", "set", "lo", "up"]);
    browser = await openBrowser(lab.folder, one);
    url = await one.mustWeave(["ui"]);
  });

  afterAll(async () => {
    await browser?.close();
    await lab?.[Symbol.asyncDispose]();
  });

  const addressOf = async (container: Container): Promise<string> => {
    const text = await must(container.command(["ip", "-4", "-o", "addr", "show", "dev", "ethwe"]));
    return /inet ([\d.]+)/.exec(text)![1]!;
  };

  test("shows hosts, containers and links, and complains of nothing", async () => {
    await using visit = await Visit.of(browser, url);
    await visit.shows("3 hosts · 4 containers · 3 links");
    await visit.tells("host1 1 container, this host");
    expect(visit.page.url()).not.toContain("token");
    expect(visit.complaints).toEqual([]);
  });

  test("finds, explains, and says why one reaches another", async () => {
    await using visit = await Visit.of(browser, url);
    await visit.search("web-2");
    await visit.shows("web-2.weave.local.");
    await visit.tells("host2");
    await visit.page.getByRole("button", { name: /^Why does it/ }).click();
    await visit.search("web-1");
    await visit.shows("web-2 → web-1");
    await visit.shows("nothing found in the way");
    await visit.tells(/overlay: fastdp/);
    await visit.page.keyboard.press("Escape");
    await visit.shows("Hosts");
    expect(visit.complaints).toEqual([]);
  });

  test("has containers of other hosts by their labels, also those without a name in DNS", async () => {
    await using visit = await Visit.of(browser, url);
    await visit.search("app=queue");
    await visit.shows("1 thing found");
    await visit.tells("host3");
    await visit.page.getByLabel("Group by").selectOption("label app");
    await visit.page.getByRole("tab", { name: "Names" }).click();
    await visit.page.getByRole("searchbox").fill("");
    await visit.shows("3 names in DNS");
    await visit.page.getByRole("button", { name: "web-3.weave.local" }).click();
    await visit.shows("app=web-3");
    expect(visit.complaints).toEqual([]);
  });

  test("says how much goes over a link", async () => {
    await using visit = await Visit.of(browser, url);
    const address = await addressOf(containers[2]!);
    const ping = ["ping", "-q", "-i", "0.01", "-s", "1000", address];
    const pinging = Bun.spawn(containers[0]!.command(ping), { stdout: "ignore" });
    try {
      await visit.page.getByRole("button", { name: "host3" }).click();
      await visit.page.getByRole("button", { name: "host1" }).click();
      await visit.shows(/↑ \d+(\.\d+)? [kM]bit\/s ↓ \d+(\.\d+)? [kM]bit\/s/);
      await visit.page.getByRole("img", { name: /^Traffic of late/ }).waitFor();
    } finally {
      pinging.kill();
      await pinging.exited;
    }
    expect(visit.complaints).toEqual([]);
  });

  test("has the link of two others as both of them tell of it", async () => {
    await using visit = await Visit.of(browser, url);
    await visit.page.getByRole("button", { name: "host2" }).click();
    await visit.page.getByRole("button", { name: "host3" }).click();
    await visit.shows(/Overlaysleeve/);
    await visit.shows(/Toldby host\d at [\d:]+.*, by host\d at [\d:]+/);
    await visit.tells(/Round trip\d+\.\d\d ms/);
    const address = await addressOf(containers[2]!);
    const ping = ["ping", "-q", "-i", "0.01", "-s", "1000", address];
    const pinging = Bun.spawn(containers[1]!.command(ping), { stdout: "ignore" });
    try {
      await visit.shows(/↑ \d+(\.\d+)? [kM]bit\/s ↓ \d+(\.\d+)? [kM]bit\/s at host\d/);
    } finally {
      pinging.kill();
      await pinging.exited;
    }
    expect(visit.complaints).toEqual([]);
  });

  test("tells what policies let two open, and what they have blocked", async () => {
    const [one] = lab.hosts as [Host];
    await one.mustWeave(["policy", "apply", "-f", "-"], { stdin: webPolicy });
    await using visit = await Visit.of(browser, url);
    await visit.search("web-2");
    await visit.page.getByRole("button", { name: /^May it connect/ }).click();
    await visit.search("web-1");
    await visit.shows("✓ allowed");
    const there = visit.page.getByRole("region", { name: "web-2 → web-1" });
    expect(await there.textContent()).toMatch(
      /allowed TCP 80.*spec.ingress\[0\] of default\/web-only/,
    );
    expect(await there.textContent()).toMatch(
      /denied everything else.*no rule of default\/web-only/,
    );
    const back = visit.page.getByRole("region", { name: "web-1 → web-2" });
    expect(await back.textContent()).toMatch(/allowed everything/);
    const address = await addressOf(containers[0]!);
    await containers[2]!.exec(["ping", "-c", "1", "-W", "1", address]);
    await visit.page.getByRole("tab", { name: /^Problems/ }).click();
    await visit.shows(/blocked by policy .*web-only/);
    await visit.page.getByRole("button", { name: /blocked by policy/ }).click();
    const about = visit.page.locator(".finding", { hasText: "blocked by policy" });
    await about.getByRole("button", { name: "What policies let them open" }).click();
    await visit.shows("web-1 → web-3");
    await visit.page.getByRole("tab", { name: /^Problems/ }).click();
    await about.getByRole("button", { name: "web-3", exact: true }).click();
    await visit.shows("app=web-3");
    await one.mustWeave(["policy", "delete", "default/web-only"]);
    expect(visit.complaints).toEqual([]);
  });

  test("shows a host that dies and comes back, and tells of it", async () => {
    await using visit = await Visit.of(browser, url);
    const [one, , three] = lab.hosts as [Host, Host, Host];
    await three.mustWeave(["stop"]);
    await visit.shows("2 hosts · 2 containers · 1 link");
    await visit.page.getByRole("tab", { name: /^Problems/ }).click();
    await visit.shows(/no connection to 192.168.77.3|the link to host3 is lost/);
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
    for (let step = 0; step < 20; step++) {
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
    await visit.tells("Host host2");
  });

  for (const colorScheme of ["dark", "light"] as const) {
    test(`is legible and has a name for everything, ${colorScheme}, also on a phone`, async () => {
      const viewport = { width: 390, height: 844 };
      await using visit = await Visit.of(browser, url, { colorScheme, viewport });
      await visit.search("web-1");
      expect(await unreadable(visit.page)).toEqual([]);
      for (const tab of ["Problems", "Names", "Addresses", "Events"]) {
        await visit.page.getByRole("tab", { name: tab }).click();
        expect(await unreadable(visit.page)).toEqual([]);
      }
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
      // The page asks by itself, again and again.
      await eventually(
        "three answers about the network",
        async () => visit.told,
        (told) => told.length >= 3,
      );
      const [whole, ...changes] = visit.told;
      expect(whole).toBeGreaterThan(5_000_000);
      for (const each of changes) expect(each).toBeLessThan(whole!);
      await visit.search("c4711");
      await visit.shows("c4711.weave.local.");
      await visit.search("tier=batch");
      await visit.shows("833 things found");
      await visit.page.getByLabel("Group by").selectOption("label tier");
      expect(visit.complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe("the link to the page", () => {
  let cluster: PretendedCluster;
  let lab: Lab;
  let browser: Browser;

  beforeAll(async () => {
    cluster = await pretendCluster(3, 3);
    lab = await Lab.onSwitch("pb", 1);
    browser = await openBrowser(lab.folder);
  });

  afterAll(async () => {
    await browser?.close();
    await cluster?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  const home = () => new URL("/", cluster.url).href;
  const token = () => new URL(cluster.url).hash.replace("#token=", "");

  test("lets its tab in, also when that is loaded again, and no other tab", async () => {
    await using visit = await Visit.of(browser, cluster.url);
    await visit.page.reload();
    await visit.page.waitForSelector(".app");
    expect(visit.page.url()).toBe(home());
    expect(visit.complaints).toEqual([]);
    await using context = await browser.newContext();
    const [first, second] = [await context.newPage(), await context.newPage()];
    await first.goto(cluster.url);
    await first.waitForSelector(".app");
    await second.goto(home());
    await second.getByText("'weave ui' prints one that lets you in").waitFor();
    expect(await second.locator(".app").count()).toBe(0);
  });

  test("opens the page in a tab that has one of an earlier run", async () => {
    const page = await browser.newPage();
    await page.goto(`${home()}#token=${"f".repeat(32)}`);
    await page.getByText("this link is of an earlier run").waitFor();
    await page.goto(cluster.url);
    await page.waitForSelector(".app");
    await page.close();
  });

  test("is known to this router alone: not to another port, not to the history of the tab", async () => {
    const heard: string[] = [];
    using other = Bun.serve({
      ...{ hostname: "127.0.0.1", port: 0 },
      fetch(request) {
        heard.push(JSON.stringify([request.url, ...request.headers]));
        return new Response("<p>another program</p>", { headers: { "Content-Type": "text/html" } });
      },
    });
    await using visit = await Visit.of(browser, cluster.url);
    const { page } = visit;
    await page.evaluate((url) => location.assign(url), other.url.href);
    await page.getByText("another program").waitFor();
    expect(heard.length).toBeGreaterThan(0);
    for (const each of heard) expect(each).not.toContain(token());
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    await page.goBack();
    await page.waitForSelector(".app");
    expect(page.url()).toBe(home());
  });
});

describe("events on the page", () => {
  test("go on when the connection has broken, none twice", async () => {
    await using cluster = await pretendCluster(3, 3);
    await using lab = await Lab.onSwitch("pb", 1);
    const browser = await openBrowser(lab.folder);
    try {
      await using visit = await Visit.of(browser, cluster.url);
      cluster.emit("peer.appeared", { peer: nameOf(2), nickname: "host2" });
      await visit.page.getByRole("tab", { name: "Events" }).click();
      const told = visit.page.getByText("peer.appeared");
      await told.waitFor();
      const isFollowing = visit.page.waitForRequest(/events.*after=\d/);
      await cluster.breakConnections();
      await isFollowing;
      cluster.emit("peer.gone", { peer: nameOf(2), nickname: "host2" });
      await visit.shows("peer.gone");
      expect(await told.count()).toBe(1);
    } finally {
      await browser.close();
    }
  });
});

describe("a clock that is off", () => {
  const hostButton = (visit: Visit, name: string) =>
    visit.page.getByRole("button", { name, exact: true });

  test("is seen at its host, in the doctor's words, and at the link with it", async () => {
    const clockOffsetsMs = new Map([
      [2, 45_000],
      [3, -20],
    ]);
    await using cluster = await pretendCluster(3, 3, { clockOffsetsMs });
    await using lab = await Lab.onSwitch("pb", 1);
    const browser = await openBrowser(lab.folder);
    try {
      const viewport = { width: 390, height: 844 };
      for (const colorScheme of ["light", "dark"] as const) {
        await using visit = await Visit.of(browser, cluster.url, { colorScheme, viewport });
        await visit.tells(/clock 45 s ahead of that of this host/);
        await visit.page.getByText("host whose clock is off").waitFor({ state: "attached" });
        await hostButton(visit, "host2").focus();
        await visit.page.keyboard.press("Enter");
        await visit.tells(/Host host2.*Clock45 s ahead of that of this host/);
        expect(await unreadable(visit.page)).toEqual([]);
        await hostButton(visit, "host1").click();
        await visit.tells(/Link.*Clockhost2: 45 s ahead of that of this host/);
        await hostButton(visit, "host1").click();
        await hostButton(visit, "host3").click();
        await visit.tells(/Clockhost3: 20 ms behind that of this host/);
        expect(visit.complaints).toEqual([]);
      }
    } finally {
      await browser.close();
    }
  });

  test("is this host's own where most others say so", async () => {
    const clockOffsetsMs = new Map([2, 3].map((number) => [number, 720_000] as const));
    await using cluster = await pretendCluster(3, 3, { clockOffsetsMs });
    await using lab = await Lab.onSwitch("pb", 1);
    const browser = await openBrowser(lab.folder);
    try {
      await using visit = await Visit.of(browser, cluster.url);
      const words = "12 min behind those of 2 of 2 neighbours: names are refused from 15 min on";
      await visit.tells(`clock ${words}`);
      await hostButton(visit, "host1").click();
      await visit.tells(new RegExp(`Host host1.*Clock${words}`));
      expect(visit.complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe("a problem", () => {
  const split = finding(
    "RING_CONFLICT",
    `host2 (${nameOf(2)})`,
    "host2 disagrees about addresses: it has another ring",
    { commands: ["weave reset"] },
  );
  const narrow = finding(
    "PATH_MTU_SMALL",
    `host3 (${nameOf(3)})`,
    "on the way to host3 packets shrink",
  );

  test("is named in plain words, with what mends it, and leads to what it is about", async () => {
    await using cluster = await pretendCluster(3, 9, { findings: [split, narrow] });
    await using lab = await Lab.onSwitch("pb", 1);
    const browser = await openBrowser(lab.folder);
    try {
      await using visit = await Visit.of(browser, cluster.url);
      await visit.shows("2 problems");
      await visit.page.getByRole("button", { name: "What to do" }).click();
      await visit.shows("reset the peers of the smaller cluster and launch them again");
      await visit.shows("RING_CONFLICT");
      const problem = { name: /host2 disagrees/ };
      await visit.page.getByRole("button", problem).click();
      await visit.page.getByRole("button", { ...problem, pressed: true }).waitFor();
      await visit.page.getByRole("button", { name: "host3", exact: true }).click();
      await visit.shows(nameOf(3));
      expect(visit.complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  test("of two clusters that were formed apart is named, of hosts as they are", async () => {
    await using lab = await Lab.onSwitch("pr", 2);
    const [one, two] = lab.hosts as [Host, Host];
    for (const host of [one, two]) {
      await host.launch();
      const container = await host.container(`r${host.number}`);
      await host.mustWeave(["attach", container.reference]);
    }
    await must(["ip", "-n", one.namespace, "link", "set", "lo", "up"]);
    const browser = await openBrowser(lab.folder, one);
    try {
      await using visit = await Visit.of(browser, await one.mustWeave(["ui"]));
      await visit.shows("No problem is known");
      await one.mustWeave(["connect", two.ip]);
      await visit.shows(/host2 .*disagrees about addresses/);
      await visit.page.getByRole("tab", { name: /^Problems/ }).click();
      await visit.shows("RING_CONFLICT");
      expect(visit.complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
