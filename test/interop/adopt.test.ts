import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Container, type Host, Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { ReferenceRouter, referenceBinary } from "./reference-router.ts";

const variants = [
  { what: "that captures frames, with a password", fastdp: false, password: "wEaVe-pa55" },
  { what: "that would use a datapath", fastdp: true, password: undefined },
] as const;

if (referenceBinary === undefined) {
  test("adopting a host needs a router of the original", () => {
    console.log("no router to adopt: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
}

for (const { what, fastdp, password } of referenceBinary === undefined ? [] : variants) {
  describe(`a host that is taken over from an original ${what}, in a cluster of originals`, () => {
    const options = {
      fastdp,
      flags: ["--ipalloc-init", "consensus=2"],
      ...(password === undefined ? {} : { password }),
    };
    let lab: Lab;
    let one: Host;
    let old: ReferenceRouter;
    let other: ReferenceRouter;
    const containers: Container[] = [];
    const cidrs: string[] = [];
    const ip = (index: number): string => cidrs[index]!.split("/")[0]!;

    beforeAll(async () => {
      lab = await Lab.onSwitch("lfa", 2);
      one = lab.hosts[0]!;
      [old, other] = lab.hosts.map((host) => new ReferenceRouter(host)) as [
        ReferenceRouter,
        ReferenceRouter,
      ];
      await other.start(options);
      await old.start({ ...options, peers: [lab.hosts[1]!.ip] });
      await other.established(1);
      for (const [router, suffix] of [
        [old, "a"],
        [old, "b"],
        [other, "c"],
      ] as const) {
        const { container, cidr } = await router.container(suffix);
        containers.push(container);
        cidrs.push(cidr);
      }
      await old.api("PUT", `/name/weave:extern/${ip(0)}?fqdn=web.weave.local`);
      const exposed = await old.api("POST", "/ip/weave:expose");
      await old.api("POST", `/expose/${exposed}`);
      cidrs.push(exposed);
      await containers[0]!.pings(ip(1));
      await containers[2]!.pings(ip(0));
    });
    afterAll(async () => {
      for (const router of [old, other]) await router?.[Symbol.asyncDispose]();
      await lab?.[Symbol.asyncDispose]();
    });

    test("is told beforehand what will be done, and nothing is done", async () => {
      const plan = await one.mustWeave(["adopt", "--dry-run"]);
      expect(plan).toContain(one.peerName);
      for (const cidr of [cidrs[0]!, cidrs[1]!, cidrs[3]!]) expect(plan).toContain(cidr);
      expect(plan).toContain(`web.weave.local. ${ip(0)}`);
      expect(plan).not.toContain(password ?? "no password");
      const refused = await one.weave(["adopt"]);
      expect(refused).toMatchObject({ code: 1, stdout: `${plan}\n` });
      expect(refused.stderr).toContain("nothing was changed");
      const beside = await one.weave(["launch", "--name", "::9"]);
      expect(beside.code).toBe(1);
      expect(beside.stderr).toContain("'weave adopt'");
      await containers[2]!.pings(ip(0));
      expect(old.running).toBe(true);
    });

    const failing = async () => {
      const obstacle = join(one.env.WEAVE_RUN_DIR!, "weave.log");
      rmSync(obstacle, { force: true });
      mkdirSync(obstacle, { recursive: true });
      const { code, stdout, stderr } = await one.weave(["adopt", "--yes"]);
      rmSync(obstacle, { recursive: true });
      expect(code).toBe(1);
      expect(stderr).toContain(`start it as before`);
      expect(stderr).toContain(`${referenceBinary} `);
      expect(stdout + stderr).not.toContain(password ?? "no password");
      await old.stop("SIGTERM");
      await old.start({ ...options, peers: [lab.hosts[1]!.ip] });
      await old.api("PUT", `/name/weave:extern/${ip(0)}?fqdn=web.weave.local`);
      await other.established(1);
      await containers[2]!.pings(ip(0));
    };
    // Without openvswitch in the kernel the original itself does not start a second time.
    if (!fastdp) test("is as it was when ours cannot start, and told how to go on", failing);

    test("keeps name, ranges, addresses, names and peers, and its containers never stop", async () => {
      const before = await other.api("GET", "/status/ipam");
      expect((await rules(one)).join("\n")).toMatch(/-j WEAVE$.*-j WEAVE-EXPOSE$/ms);
      const pings = containers[0]!.exec(["ping", "-i", "0.05", "-c", "100", "-W", "1", ip(1)]);
      const said = await one.mustWeave(["adopt", "--yes"], { waitMs: 60_000 });
      expect(said).not.toContain("Not taken over: 10.");
      expect((await pings).stdout).toContain(" 0% packet loss");
      expect(old.running).toBe(false);

      await one.established(1);
      expect(await other.established(1)).toContain(one.peerName);
      expect(await one.mustWeave(["report", "-f", "{{.Router.Name}}"])).toBe(one.peerName);
      expect(await one.mustWeave(["status", "targets"])).toBe(lab.hosts[1]!.ip);
      expect(await one.mustWeave(["dns-lookup", "web"])).toBe(ip(0));
      expect(await one.mustWeave(["ps", containers[0]!.reference])).toContain(cidrs[0]!);
      expect(await one.mustWeave(["ps", "weave:expose"])).toContain(cidrs[3]!);
      await containers[0]!.pings(ip(2));
      await containers[2]!.pings(ip(1));

      const [nat, filter] = await rules(one);
      expect(nat).not.toMatch(/ WEAVE( |$)/m);
      expect(filter).not.toContain("WEAVE-EXPOSE");
      const more = await one.container("d");
      const fresh = await one.mustWeave(["attach", more.reference]);
      expect(cidrs.map((cidr) => cidr.split("/")[0]!)).not.toContain(fresh);
      await containers[2]!.pings(fresh);
      await eventually(
        "the same ranges at the other peer",
        () => other.api("GET", "/status/ipam"),
        (text) => owned(text) === owned(before),
      );
      expect(other.log()).not.toMatch(/conflict|inconsisten/i);
      expect(await one.mustWeave(["detach", containers[0]!.reference])).toBe(ip(0));
    });
  });
}

/** Of `nat` and `filter`. */
async function rules(host: Host): Promise<string[]> {
  const listed = ["nat", "filter"].map((table) => host.exec(["iptables", "-t", table, "-S"]));
  return (await Promise.all(listed)).map(({ stdout }) => stdout);
}

/** Who owns how many, without who is reachable. */
function owned(text: string): string {
  return [...text.matchAll(/^(\S{17})\S* +(\d+) IPs/gm)]
    .map(([, name, count]) => `${name} ${count}`)
    .sort()
    .join();
}
