import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Capture } from "./capture.ts";
import { type Container, Lab } from "./lab.ts";
import { eventually, killed, must } from "./shell.ts";
import { hear, pingDuring, transfer } from "./traffic.ts";

const tenMegabytes = 10_000_000;
/** With its Ethernet, IP and UDP headers a datagram of sleeve that carries a ping of 64 octets is longer. */
const sleevePingOctets = 120;

for (const password of [undefined, "a password for the lab"]) {
  describe(`two hosts ${password === undefined ? "in clear" : "with a password"}`, () => {
    const env = password === undefined ? {} : { WEAVE_PASSWORD: password };
    let lab: Lab;
    let c1: Container;
    let c2: Container;
    let ip1: string;
    let ip2: string;

    beforeAll(async () => {
      lab = await Lab.onSwitch("wt", 2);
      const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
      expect(await one.launch([], { env })).toMatch(/^[0-9a-f]{64}$/);
      await two.launch([one.ip], { env });
      c1 = await one.container("c1");
      c2 = await two.container("c2");
      ip1 = await one.mustWeave(["attach", c1.reference]);
      ip2 = await two.mustWeave(["attach", c2.reference]);
    });

    afterAll(() => lab?.[Symbol.asyncDispose]());

    test("are established over sleeve", async () => {
      const mtu = password === undefined ? "mtu=1438" : "mtu=1414";
      const text = await eventually(
        `a link over sleeve with ${mtu}`,
        () => lab.hosts[1]!.established(1),
        (found) => found.includes(mtu) && found.includes("seal=") === (password !== undefined),
      );
      expect(text).toMatch(/^-> 192\.168\.77\.1:6783\s+established (encrypted\s+)?sleeve /);
      expect(text.includes("encrypted")).toBe(password !== undefined);
      expect(/seal=aes-256-gcm\/\w+$/m.test(text)).toBe(password !== undefined);
    });

    test("attach prints one address, and the containers reach each other", async () => {
      for (const ip of [ip1, ip2]) expect(ip).toMatch(/^10\.\d+\.\d+\.\d+$/);
      expect(ip1).not.toBe(ip2);
      await c1.pings(ip2);
      await c2.pings(ip1);
    });

    test("ten megabytes over TCP arrive as they were sent", async () => {
      const { sent, received } = await transfer(c1, c2, ip2, tenMegabytes);
      expect(received).toBe(sent);
      expect(received).toStartWith(`${tenMegabytes} `);
    });

    test("leave to the kernel what it does better", async () => {
      const format = "{{range .Router.Offloads}}{{.Name}}:{{.Used}} {{end}}";
      for (const host of lab.hosts) {
        expect(await host.mustWeave(["report", "-f", format])).toBe(
          "capture:true capture-udp:true send:true receive:true",
        );
      }
    });

    test("UDP broadcast and multicast cross", async () => {
      const broadcast = await hear(c1, c2, "10.47.255.255");
      expect(broadcast).toBe(`hello from ${ip1}`);
      expect(await hear(c1, c2, "239.1.2.3", "239.1.2.3")).toBe(`hello from ${ip1}`);
    });

    test("packets larger than the path are fragmented and put together", async () => {
      await eventually(
        "a large ping",
        () => c1.exec(["ping", "-c", "1", "-W", "2", "-s", "10000", ip2]),
        ({ code }) => code === 0,
      );
    });

    test("a name added on one host resolves on the other through weaveDNS", async () => {
      const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
      await one.mustWeave(["dns-add", c1.reference, "-h", "seeone.weave.local"]);
      const answer = await eventually(
        "the name at the other host",
        async () =>
          (
            await two.exec([
              "dig",
              "+short",
              "+time=1",
              "+tries=1",
              "@127.0.0.1",
              "seeone.weave.local",
            ])
          ).stdout,
        (text) => text.trim() !== "",
      );
      expect(answer.trim()).toBe(ip1);
      const reverse = await two.exec(["dig", "+short", "@127.0.0.1", "-x", ip1]);
      expect(reverse.stdout.trim()).toBe("seeone.weave.local.");
      expect(await two.mustWeave(["dns-lookup", "seeone"])).toBe(ip1);
    });

    test("the payload is readable on the underlay only without a password", async () => {
      const word = "PLAINLY-VISIBLE";
      await using capture = await Capture.start(lab.hosts[0]!, "eth0", "udp port 6783");
      const pattern = Buffer.from(word).toString("hex");
      await must(c1.command(["ping", "-c", "5", "-i", "0.2", "-s", "64", "-p", pattern, ip2]));
      const datagrams = await eventually(
        "five requests and their answers",
        async () => capture.packets.filter(({ length }) => length > sleevePingOctets),
        ({ length }) => length >= 10,
      );
      const readable = datagrams.filter((each) => Buffer.from(each).includes(word));
      expect(readable.length > 0).toBe(password === undefined);
    });

    test("ps, detach and status ipam tell and free what was given", async () => {
      const one = lab.hosts[0]!;
      const listed = await one.mustWeave(["ps", c1.reference]);
      expect(listed).toMatch(
        new RegExp(`^${c1.reference} ([0-9a-f]{2}:){5}[0-9a-f]{2} ${ip1}/12$`),
      );
      expect(await one.mustWeave(["detach", c1.reference])).toBe(ip1);
      expect(await one.mustWeave(["ps", c1.reference])).toBe("");
      expect(await one.mustWeave(["attach", c1.reference])).toBe(ip1);
    });
  });
}

describe("a router that is killed", () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.onSwitch("wk", 2);
    await lab.hosts[0]!.launch();
    await lab.hosts[1]!.launch([lab.hosts[0]!.ip]);
  });

  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("disturbs no packet of other containers, and comes back as who it was", async () => {
    const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
    const mine = await one.container("k0");
    const ip = await one.mustWeave(["attach", mine.reference]);
    const [a, b] = [await two.container("k1"), await two.container("k2")];
    await two.mustWeave(["attach", a.reference]);
    const target = await two.mustWeave(["attach", b.reference]);
    await a.pings(target);
    const before = await one.mustWeave(["status", "ipam"]);

    let stream: { sent: string; received: string } | undefined;
    const counts = await pingDuring(a, target, async () => {
      stream = await transfer(a, b, target, 200_000_000, async () => killed(await one.routerPid()));
    });
    expect(stream!.received).toBe(stream!.sent);
    expect(counts.received).toBe(counts.sent);

    await one.launch();
    await one.established(1);
    await two.established(1);
    expect(await one.mustWeave(["report", "-f", "{{.Router.Name}}"])).toBe(one.peerName);
    expect(await one.mustWeave(["ps", mine.reference])).toContain(ip);
    await eventually(
      "the same share of the addresses as before",
      () => one.mustWeave(["status", "ipam"]),
      (text) => text === before,
    );
    await a.pings(ip);
  });
});
