import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Capture, ipProtocol, plainVxlan, vxlanHeaders } from "../../hosts/capture.ts";
import { type Container, type Host, Lab } from "../../hosts/lab.ts";
import { eventually, must } from "../../hosts/shell.ts";
import { transfer } from "../../hosts/traffic.ts";
import { referenceBinary } from "../../interop/reference-router.ts";
import { disposeAll, type Kind, type Router, routerOn, told } from "../../interop/routers.ts";
import { continueAt, counted } from "./esp-sequence.ts";
import { useOpenvswitch } from "./hosts.ts";
import { OriginalOnOpenvswitch } from "./original.ts";

const password = "a password for the guests";
const trust = ["--trusted-subnets", "192.168.77.0/24"];
const ESP = 50;
const restarts = 10;

interface PairOptions {
  readonly dialler: Kind;
  readonly backend: "ebpf" | "ovs";
  /** Who trusts the subnet of both. */
  readonly trusting?: readonly Kind[];
}

interface End {
  readonly container: Container;
  readonly ip: string;
}

/** One of ours and an original with a password, with a container each. */
class Pair implements AsyncDisposable {
  readonly lab: Lab;
  readonly options: PairOptions;
  readonly ours: Router;
  readonly original: OriginalOnOpenvswitch;
  /** Of ours, then of the original. */
  ends: readonly [End, End] | undefined;

  private constructor(lab: Lab, options: PairOptions) {
    this.lab = lab;
    this.options = options;
    const [one, two] = lab.hosts as [Host, Host];
    one.fastdp = true;
    this.ours = routerOn(one, "ours");
    this.original = new OriginalOnOpenvswitch(two);
  }

  static async up(options: PairOptions): Promise<Pair> {
    const pair = new Pair(await Lab.onSwitch("kp", 2), options);
    try {
      if (options.backend === "ovs") await useOpenvswitch(pair.ours.host);
      // Who dials comes second.
      if (options.dialler === "ours") await pair.#startOriginal();
      await pair.startOurs();
      if (options.dialler === "original") await pair.#startOriginal();
      const { ours, original } = pair;
      pair.ends = [await ours.container("c1"), await original.router.container("c2")];
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
    return pair;
  }

  startOurs(): Promise<void> {
    return this.ours.start(this.#startOptions("ours", this.original.router.host));
  }

  #startOriginal(): Promise<void> {
    return this.original.start(this.#startOptions("original", this.ours.host));
  }

  #startOptions(kind: Kind, other: Host) {
    const { dialler, trusting = [] } = this.options;
    const peers = dialler === kind ? [other.ip] : [];
    return { password, peers, flags: trusting.includes(kind) ? trust : [] };
  }

  get hosts(): readonly [Host, Host] {
    return [this.ours.host, this.original.router.host];
  }

  /** Waits until both carry frames by this overlay. */
  async carriedBy(overlay: string, how: "encrypted" | "unencrypted" = "encrypted"): Promise<void> {
    const pattern = new RegExp(` established ${how} +${overlay} `);
    for (const router of [this.ours, this.original.router]) {
      await eventually(
        `${overlay} at ${router.kind}`,
        () => told(router, "GET", "/status/connections"),
        (text) => pattern.test(text),
        90_000,
      );
    }
  }

  /** Frames reach either container from the other. */
  async carriesFrames(): Promise<void> {
    const [one, two] = this.ends!;
    await one.container.pings(two.ip, 30_000);
    await two.container.pings(one.ip, 30_000);
  }

  /** What of VXLAN and of ESP is on the cable while both containers send to each other. */
  async passing(): Promise<readonly Uint8Array[]> {
    await using capture = await Capture.start(this.ours.host, "eth0", "udp port 6784 or esp");
    const [one, two] = this.ends!;
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      const { sent, received } = await transfer(from.container, to.container, to.ip, 2_000_000);
      expect(received).toBe(sent);
    }
    // Super-frames pass as one packet.
    expect(capture.packets.length).toBeGreaterThan(20);
    return capture.packets;
  }

  /** What `ip xfrm` lists at each of the hosts. */
  async xfrm(what: "state" | "policy"): Promise<[string, string]> {
    const list = ({ namespace }: Host) => must(["ip", "-n", namespace, "xfrm", what]);
    return [await list(this.hosts[0]), await list(this.hosts[1])];
  }

  /** Rules of the original that concern our host. */
  rules(): string[] {
    return this.original.rules().filter((rule) => rule.includes(this.ours.host.ip));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeAll([this.ours, this.original.router, this.lab]);
  }
}

function besideAnOriginal(options: PairOptions): void {
  describe(`one of ours by ${options.backend} and an original, dialled by ${options.dialler}`, () => {
    let pair: Pair;
    beforeAll(async () => {
      pair = await Pair.up(options);
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
    await using pair = await Pair.up({ dialler: "ours", backend: "ebpf" });
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
    const trusting = ["ours", "original"] as const;
    await using pair = await Pair.up({ dialler: "original", backend: "ebpf", trusting });
    await pair.carriedBy("fastdp", "unencrypted");
    await pair.carriesFrames();
    for (const packet of await pair.passing())
      expect(vxlanHeaders(packet)).toMatchObject(plainVxlan);
    expect((await pair.xfrm("state")).join("")).toBe("");
  });

  for (const kind of ["ours", "original"] as const) {
    test(`a subnet that ${kind} alone trusts is crossed by ESP`, async () => {
      await using pair = await Pair.up({ dialler: "ours", backend: "ovs", trusting: [kind] });
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
