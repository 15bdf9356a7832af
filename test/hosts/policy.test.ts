import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { documentedSteps } from "./documented-steps.ts";
import { type Container, type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";
import { tcpCounter } from "./tcp-counter.ts";

const port = "5432";

let lab: Lab;
let one: Host;
let two: Host;
let web: Container;
let db: Container;
let guest: Container;
let dbAddress: string;
let listener: Bun.Subprocess;

/** Whether a connection is opened, within a second if nothing else is said. */
async function connects(from: Container, seconds = 1): Promise<boolean> {
  const script = `exec 3<>/dev/tcp/${dbAddress}/${port}`;
  return (await from.exec(["timeout", `${seconds}`, "bash", "-c", script])).code === 0;
}

function settles(from: Container, opens: boolean): Promise<boolean> {
  const what = `${from.namespace} ${opens ? "connects" : "does not connect"}`;
  return eventually(
    what,
    () => connects(from),
    (found) => found === opens,
  );
}

/** Segments of TCP that a container has sent again. */
async function sentAgain(from: Container): Promise<number> {
  return tcpCounter(await must(from.command(["cat", "/proc/net/snmp"])), "RetransSegs");
}

/** Types a step of the page, with containers called as they are in this lab. */
async function type(section: string, at: number): Promise<string> {
  const step = documentedSteps("policy.md").filter((each) => each.section === section)[at]!;
  const host = lab.hosts[Number(step.hosts[0]!.slice("host".length)) - 1]!;
  const script = step.script
    .replaceAll(/\bnetns:(\w+)/g, `netns:${lab.prefix}-$1`)
    .replaceAll(/explain (\S+) (\S+)/g, (_, from, to) => `explain ${named(from)} ${named(to)}`)
    .replaceAll("weave launch", `weave launch --no-fastdp --no-restart --name ${host.peerName}`)
    .replaceAll(/\bweave\b(?= \w)/g, () => weaveWord(host));
  return must(["bash", "-euc", script]);
}

function named(word: string): string {
  return word.replace(/\w+$/, `${lab.prefix}-$&`);
}

/** `weave` on a host of the lab. */
function weaveWord({ namespace, env }: Host): string {
  const settings = Object.entries(env).map((pair) => pair.join("="));
  return ["env", ...settings, "nsenter", `--net=/run/netns/${namespace}`, ...program].join(" ");
}

const program = process.env.WEAVE_BINARY
  ? [process.env.WEAVE_BINARY]
  : [process.execPath, `${import.meta.dir}/../../cmd/weave.ts`];

beforeAll(async () => {
  lab = await Lab.onSwitch("kdp", 2);
  [one, two] = lab.hosts as [Host, Host];
  web = await one.container("web");
  db = await two.container("db");
  guest = await two.container("guest");
  await type("Two hosts", 0);
  dbAddress = (await type("Two hosts", 1)).split("\n")[1]!;
  const script = `Bun.listen({hostname: "0.0.0.0", port: ${port}, socket: {data() {}}})`;
  listener = Bun.spawn(db.command([process.execPath, "-e", script]));
  await settles(web, true);
});

afterAll(async () => {
  listener?.kill();
  await lab?.[Symbol.asyncDispose]();
});

describe("policies of two hosts without Kubernetes", () => {
  test("do what the page says, on both, and leave nothing in the filter before", async () => {
    await settles(guest, true);
    expect((await two.exec(["nft", "list", "tables"])).stdout).not.toContain("weave-npc");
    expect(await type("Two hosts", 2)).toContain("NetworkPolicy shop/web-to-db created");
    await settles(guest, false);
    await settles(web, true);
    expect((await guest.exec(["ping", "-c", "1", "-W", "1", dbAddress])).code).not.toBe(0);
  });

  test("are explained with the rule that decides", async () => {
    const text = await type("Two hosts", 3);
    expect(text).toContain("TCP 5432: allowed");
    expect(text).toContain("spec.ingress[0] of shop/web-to-db");
    expect(text).toContain("TCP 5432: denied");
  });

  test("hold for a container from its first packet, and for one that comes again", async () => {
    const late = await one.container("late");
    const address = await one.mustWeave([
      ...["attach", late.reference, "--label", "weave.works/namespace=shop"],
    ]);
    const ping = await web.exec(["ping", "-c", "3", "-i", "0.2", "-W", "1", address]);
    expect(ping.stdout).toContain("0 received");
    await one.mustWeave(["detach", late.reference]);
    const plain = await one.mustWeave([
      "attach",
      late.reference,
      "--label",
      "weave.works/namespace=x",
    ]);
    await web.pings(plain);
  });

  test("are told of where they block, in the log, in metrics and by doctor", async () => {
    await eventually(
      "a line of the log",
      async () => {
        await connects(guest);
        return (await two.weave(["logs"])).stdout;
      },
      (text) => /TCP connection from \S+ to \S+:5432 blocked by Weave NPC\./.test(text),
    );
    const metrics = (await two.exec(["curl", "-s", "http://127.0.0.1:6784/metrics"])).stdout;
    expect(metrics).toContain('weavenpc_blocked_connections_total{dport="5432",protocol="tcp"}');
    const { findings } = JSON.parse((await two.weave(["doctor", "--json"])).stdout);
    expect(findings.map(({ sentence }: { sentence: string }) => sentence)).toContainEqual(
      expect.stringMatching(/^blocked by policy shop\/\S+.*: TCP connection from \S+ to \S+:5432$/),
    );
    expect((await two.weave(["status"])).stdout).toContain("Status: enforcing by nftables");
    const events = await two.mustWeave(["events", "--json", "--kind", "policy.blocked"]);
    expect(events).toMatch(/"protocol":"TCP",.*"port":5432\b/);
  });

  test("hold while a router is dead, through its start, and through a change of routers", async () => {
    const near = await two.container("near");
    const shop = ["--label", "app=web", "--label", "weave.works/namespace=shop"];
    await two.mustWeave(["attach", near.reference, ...shop]);
    const found: boolean[][] = [];
    /** Tries both connections within the host, again and again, until something is over. */
    const during = async (deed: Promise<unknown>): Promise<void> => {
      let isOver = false;
      const over = deed.finally(() => {
        isOver = true;
      });
      while (!isOver) found.push(await Promise.all([connects(guest), connects(near, 20)]));
      await over;
    };
    await settles(near, true);
    const before = await sentAgain(near);
    process.kill(await two.routerPid(), "SIGKILL");
    await during(two.launch([one.ip]));
    await during(two.mustWeave(["upgrade-self"]));
    expect(found.length).toBeGreaterThan(1);
    expect(found.filter(([denied, allowed]) => denied || !allowed)).toEqual([]);
    // Nothing of what was allowed was dropped even once.
    expect(await sentAgain(near)).toBe(before);
    await settles(web, true);
    expect((await two.mustWeave(["policy", "get"])).split("\n")).toHaveLength(3);
  });

  test("are put back when somebody removes them", async () => {
    await two.exec(["nft", "delete", "table", "ip", "weave-npc"]);
    await settles(guest, false);
    await settles(web, true);
  });

  test("go with the last of them, and take all with them", async () => {
    await two.mustWeave(["policy", "delete", "shop/deny-all", "shop/web-to-db"]);
    await settles(guest, true);
    for (const host of lab.hosts) {
      await eventually(
        `no rules at ${host.namespace}`,
        async () => (await host.exec(["nft", "list", "tables"])).stdout,
        (text) => !text.includes("weave-npc"),
      );
    }
  });
});
