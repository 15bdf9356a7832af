import { describe, expect, test } from "bun:test";
import { type Host, Lab } from "./lab.ts";
import { eventually, killed, must } from "./shell.ts";

/** Rules for both directions of a host's underlay. */
async function filter(host: Host, action: "-A" | "-D", rule: readonly string[]): Promise<void> {
  for (const [chain, device] of [
    ["INPUT", "-i"],
    ["OUTPUT", "-o"],
  ] as const) {
    const about = [action, chain, device, "eth0", ...rule, "-j", "DROP"];
    await must(["nsenter", `--net=/run/netns/${host.namespace}`, "iptables", ...about]);
  }
}

/** One program starts and ends it, so that it is no longer where processes are slow to start. */
async function cutFor(host: Host, seconds: number): Promise<void> {
  const rules = ["INPUT -i", "OUTPUT -o"];
  const all = (action: string) => rules.map((rule) => `iptables ${action} ${rule} eth0 -j DROP`);
  const script = [...all("-A"), `sleep ${seconds}`, ...all("-D")].join("\n");
  await must(["nsenter", `--net=/run/netns/${host.namespace}`, "sh", "-ec", script]);
}

/** Three routers with links between all of them, for as long as `use` takes. */
async function withThree(
  prefix: string,
  use: (one: Host, two: Host, three: Host) => Promise<void>,
): Promise<void> {
  await using lab = await Lab.onSwitch(prefix, 3);
  const [one, two, three] = lab.hosts as [Host, Host, Host];
  for (const host of lab.hosts) await host.launch(lab.hosts.map(({ ip }) => ip));
  for (const host of lab.hosts) await host.established(2);
  await use(one, two, three);
}

function terminations(host: Host): Promise<string> {
  return host.mustWeave(["report", "-f", "{{.Router.TerminationCount}}"]);
}

async function status(host: Host, what: "connections" | "peers"): Promise<string> {
  return (await host.weave(["status", what])).stdout;
}

// They wait for most of their time: the one does beside the other.
describe.concurrent("a host that answers nothing any more", () => {
  test(
    "is out of status connections after 9 s without an answer, and out of status peers soon after",
    () =>
      withThree("xqa", async (one, two, three) => {
        await filter(three, "-A", []);
        for (const host of [one, two]) {
          await eventually(
            `no link to host 3 at host ${host.number}`,
            () => status(host, "connections"),
            (text) => !new RegExp(` established .*${three.peerName}`).test(text),
            30_000,
          );
        }
        for (const [host, other] of [
          [one, three],
          [two, three],
          [three, one],
        ] as const) {
          await eventually(
            `nothing of host ${other.number} at host ${host.number}`,
            () => status(host, "peers"),
            (text) => !text.includes(other.peerName),
            30_000,
          );
        }
        expect((await one.weave(["logs"])).stdout).toContain("remote host did not answer for 9 s");
        await filter(three, "-D", []);
        for (const host of [one, two, three]) await host.established(2, 45_000);
      }),
    120_000,
  );

  test(
    "for five seconds, or whose router stands still for as long, loses no link",
    () =>
      withThree("xqb", async (one, two, three) => {
        const hosts = [one, two, three];
        const before = await Promise.all(hosts.map(terminations));
        await cutFor(three, 5);
        const pid = String(await two.routerPid());
        await must(["kill", "-STOP", pid]);
        await one.exec(["sleep", "12"]);
        await must(["kill", "-CONT", pid]);
        for (const host of hosts) await host.established(2);
        expect(await Promise.all(hosts.map(terminations))).toEqual(before);
      }),
    120_000,
  );

  test(
    "is told from a line that loses every tenth packet",
    () =>
      withThree("xqc", async (one, two, three) => {
        const hosts = [one, two, three];
        const before = await Promise.all(hosts.map(terminations));
        // One in ten between these two, in each direction.
        await filter(three, "-A", ["-m", "statistic", "--mode", "random", "--probability", "0.05"]);
        await filter(two, "-A", ["-m", "statistic", "--mode", "random", "--probability", "0.05"]);
        await one.exec(["sleep", "25"]);
        expect(await Promise.all(hosts.map(terminations))).toEqual(before);
      }),
    120_000,
  );
});

test(
  "a router that was killed is a neighbour again as soon as it is back",
  () =>
    withThree("xqd", async (one, two, three) => {
      await killed(await three.routerPid());
      await three.launch([one.ip, two.ip]);
      for (const host of [one, two, three]) await host.established(2);
    }),
  120_000,
);
