import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Attached, containerOn } from "./fastdp-lab.ts";
import { type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

/** Programs that every system has; neither iptables nor nft nor ip. */
const programs = ["sh", "date", "sleep", "cat", "nsenter"];

describe("hosts without iptables, nft, Docker and IPv6", () => {
  let lab: Lab;
  const attached: Attached[] = [];

  beforeAll(async () => {
    lab = await Lab.onSwitch("wbh", 2);
    const bin = join(lab.folder, "bin");
    mkdirSync(bin);
    for (const name of programs) symlinkSync(Bun.which(name)!, join(bin, name));
    for (const host of lab.hosts) {
      host.fastdp = true;
      const sysctl = ["sysctl", "-q", "-w"];
      const off = ["all", "default"].map((which) => `net.ipv6.conf.${which}.disable_ipv6=1`);
      await must(["nsenter", `--net=/run/netns/${host.namespace}`, ...sysctl, ...off]);
      host.env.PATH = bin;
    }
    const [one, two] = lab.hosts as [Host, Host];
    await one.launch();
    await two.launch([one.ip]);
    for (const host of lab.hosts) await host.reaches(1);
    for (const host of lab.hosts) attached.push(await containerOn(host, `c${host.number}`));
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("connect their containers, and expose themselves", async () => {
    const [one, two] = lab.hosts as [Host, Host];
    await attached[0]!.container.pings(attached[1]!.ip.replace(/\/.*/, ""));
    const exposed = await one.mustWeave(["expose"]);
    await attached[1]!.container.pings(exposed);
    expect((await two.weave(["doctor"])).code).toBe(0);
  });

  test("mend themselves", async () => {
    const [one] = lab.hosts as [Host];
    const { namespace } = one;
    for (const link of ["weave", "vethwe-bridge"]) {
      await must(["ip", "-n", namespace, "link", "del", link]);
      await attached[0]!.container.pings(attached[1]!.ip.replace(/\/.*/, ""));
    }
    await must(["nft", "--version"]);
    await must(["ip", "netns", "exec", namespace, "nft", "delete", "table", "ip", "weave"]);
    await eventually(
      "the rules",
      () => must(["ip", "netns", "exec", namespace, "nft", "list", "tables"]),
      (tables) => tables.includes("table ip weave"),
    );
  });
});
