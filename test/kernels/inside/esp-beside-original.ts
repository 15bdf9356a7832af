import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ipProtocol, plainVxlan, vxlanHeaders } from "../../hosts/capture.ts";
import { eventually, must } from "../../hosts/shell.ts";
import { referenceBinary } from "../../interop/reference-router.ts";
import { continueAt, counted } from "./esp-sequence.ts";
import { Pair, type PairOptions } from "./pair.ts";

const password = "a password for the guests";
const trust = ["--trusted-subnets", "192.168.77.0/24"];
const ESP = 50;
const restarts = 10;

function besideAnOriginal(options: Omit<PairOptions, "password">): void {
  describe(`one of ours by ${options.backend} and an original, dialled by ${options.dialler}`, () => {
    let pair: Pair;
    beforeAll(async () => {
      pair = await Pair.up({ ...options, password });
    });
    afterAll(() => pair?.[Symbol.asyncDispose]());

    test("are connected over encrypted fastdp, and carry frames both ways", async () => {
      await pair.carriedBy("fastdp");
      await pair.carriesFrames();
    });

    test("send nothing on their cable but ESP", async () => {
      expect(new Set((await pair.passing()).map(ipProtocol))).toEqual(new Set([ESP]));
    });

    test("have made of the keys what both expect", async () => {
      const [here, there] = await pair.xfrm("state");
      const spis = (text: string) => text.match(/spi 0x[0-9a-f]{8}/g)?.sort();
      const keys = (text: string) =>
        text.match(/aead rfc4106\(gcm\(aes\)\) 0x[0-9a-f]{72} 128/g)?.sort();
      for (const read of [spis, keys]) {
        expect(read(here)?.length).toBe(2);
        expect(read(there)).toEqual(read(here)!);
      }
      expect(there.match(/flag esn/g)?.length).toBe(2);
      const [, policy] = await pair.xfrm("policy");
      expect(policy.replaceAll(/\s+/g, " ")).toMatch(
        /^src 192\.168\.77\.2\/32 dst 192\.168\.77\.1\/32 proto udp dir out .* mark 0x20000\/0x20000 tmpl src 192\.168\.77\.2 dst 192\.168\.77\.1 proto esp spi \S+ reqid 0 mode transport $/,
      );
      expect(pair.rules().length).toBe(3);
    });

    test("go on where 32 bits of the sequence end", async () => {
      const [one, two] = pair.hosts;
      continueAt(0xffff_ff80, one, two);
      continueAt(0xffff_ff80, two, one);
      await pair.carriesFrames();
      const [near, far] = pair.ends!;
      const ping = ["ping", "-q", "-c", "400", "-i", "0.002", far.ip];
      expect((await near.container.exec(ping)).stdout).toContain(" 400 received");
      for (const host of pair.hosts) {
        for (const packets of await counted(host)) expect(packets).toBeGreaterThan(2n ** 32n);
      }
    });

    test(`leak nothing when ours is killed and started ${restarts} times`, async () => {
      for (let left = restarts; left > 0; left--) {
        await pair.ours.stop("SIGKILL");
        await pair.startOurs();
      }
      await pair.carriedBy("fastdp");
      await pair.carriesFrames();
      await eventually(
        "two associations at both",
        () => pair.xfrm("state"),
        (texts) => texts.every((text) => text.match(/proto esp spi/g)?.length === 2),
      );
      const [, policies] = await pair.xfrm("policy");
      expect(policies.match(/^src/gm)?.length).toBe(1);
      expect(pair.rules().length).toBe(3);
    });

    test("leave nothing at either when ours stops", async () => {
      await pair.ours.stop("SIGTERM");
      await eventually(
        "no associations or policies",
        async () => [...(await pair.xfrm("state")), ...(await pair.xfrm("policy"))],
        (texts) => texts.join("") === "",
      );
      expect(pair.rules()).toEqual([]);
    });
  });
}

function withoutEsp(): void {
  test("ESP that does not pass leaves an original encrypted sleeve, until it passes", async () => {
    await using pair = await Pair.up({ dialler: "ours", backend: "ebpf", password });
    await pair.carriedBy("fastdp");
    const tc = ["tc", "-n", pair.ours.host.namespace];
    // The number is taken for a hexadecimal one.
    const protocol = ["ip_proto", ESP.toString(16)];
    const match = ["protocol", "ip", "flower", ...protocol, "action", "drop"];
    await must([...tc, "qdisc", "add", "dev", "eth0", "clsact"]);
    for (const edge of ["ingress", "egress"]) {
      await must([...tc, "filter", "add", "dev", "eth0", edge, ...match]);
    }
    await pair.carriedBy("sleeve");
    await pair.carriesFrames();
    await must([...tc, "qdisc", "del", "dev", "eth0", "clsact"]);
    await pair.carriedBy("fastdp");
    await pair.carriesFrames();
  });
}

function trustedSubnets(): void {
  test("a subnet that both trust is crossed in clear, as VXLAN of either kind", async () => {
    const flags = { ours: trust, original: trust };
    await using pair = await Pair.up({ dialler: "original", backend: "ebpf", password, flags });
    await pair.carriedBy("fastdp", "unencrypted +");
    await pair.carriesFrames();
    for (const packet of await pair.passing())
      expect(vxlanHeaders(packet)).toMatchObject(plainVxlan);
    expect((await pair.xfrm("state")).join("")).toBe("");
  });

  for (const kind of ["ours", "original"] as const) {
    test(`a subnet that ${kind} alone trusts is crossed by ESP`, async () => {
      const flags = { [kind]: trust };
      await using pair = await Pair.up({ dialler: "ours", backend: "ovs", password, flags });
      await pair.carriedBy("fastdp");
      await pair.carriesFrames();
      expect(new Set((await pair.passing()).map(ipProtocol))).toEqual(new Set([ESP]));
    });
  }
}

if (referenceBinary === undefined) {
  test("ESP beside an original needs a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  besideAnOriginal({ dialler: "ours", backend: "ebpf" });
  besideAnOriginal({ dialler: "original", backend: "ovs" });
  withoutEsp();
  trustedSubnets();
}
