import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Capture, ipProtocol } from "../../hosts/capture.ts";
import { type Container, type Host, Lab } from "../../hosts/lab.ts";
import { eventually, must } from "../../hosts/shell.ts";
import { transfer } from "../../hosts/traffic.ts";
import { referenceBinary } from "../../interop/reference-router.ts";
import { disposeAll, type Router, routerOn, told } from "../../interop/routers.ts";
import { continueAt, counted } from "./esp-sequence.ts";
import { useOpenvswitch } from "./hosts.ts";
import { OriginalOnOpenvswitch } from "./original.ts";

const password = "a password for the guests";
const ESP = 50;
const restarts = 10;

function xfrm(host: Host, what: "state" | "policy"): Promise<string> {
  return must(["ip", "-n", host.namespace, "xfrm", what]);
}

async function byFastdp(router: Router): Promise<string> {
  return eventually(
    `fastdp at ${router.kind}`,
    () => told(router, "GET", "/status/connections"),
    (text) => / established encrypted +fastdp /.test(text),
    60_000,
  );
}

/** Of the rules that the original has made, those that concern one neighbour. */
function rulesAbout(original: OriginalOnOpenvswitch, ip: string): string[] {
  return original.rules().filter((rule) => rule.includes(ip));
}

if (referenceBinary === undefined) {
  test("ESP beside an original needs a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  for (const [dialler, backend] of [
    ["ours", "ebpf"],
    ["original", "ovs"],
  ] as const) {
    describe(`one of ours by ${backend} and an original with a password, dialled by ${dialler}`, () => {
      let lab: Lab;
      let ours: Router;
      let original: OriginalOnOpenvswitch;
      let c1: Container;
      let c2: Container;
      let ip1: string;
      let ip2: string;

      beforeAll(async () => {
        lab = await Lab.onSwitch("kp", 2);
        const [one, two] = lab.hosts as [Host, Host];
        one.fastdp = true;
        if (backend === "ovs") await useOpenvswitch(one);
        ours = routerOn(one, "ours");
        original = new OriginalOnOpenvswitch(two);
        const peersOf = (router: Router): string[] => {
          if (dialler !== router.kind) return [];
          return [router === ours ? two.ip : one.ip];
        };
        const inOrder = dialler === "ours" ? [original, ours] : [ours, original];
        for (const each of inOrder) {
          const router = each === original ? original.router : ours;
          await each.start({ password, peers: peersOf(router) });
        }
        ({ container: c1, ip: ip1 } = await ours.container("c1"));
        ({ container: c2, ip: ip2 } = await original.router.container("c2"));
      });
      afterAll(() => disposeAll([ours, original?.router, lab]));

      test("are connected over encrypted fastdp, and carry frames both ways", async () => {
        for (const router of [ours, original.router]) await byFastdp(router);
        await c1.pings(ip2);
        await c2.pings(ip1);
      });

      test("send nothing on their cable but ESP", async () => {
        await using capture = await Capture.start(ours.host, "eth0", "udp port 6784 or esp");
        for (const [from, to, ip] of [
          [c1, c2, ip2],
          [c2, c1, ip1],
        ] as const) {
          const { sent, received } = await transfer(from, to, ip, 2_000_000);
          expect(received).toBe(sent);
        }
        // Super-frames pass as one packet.
        expect(capture.packets.length).toBeGreaterThan(20);
        expect(new Set(capture.packets.map(ipProtocol))).toEqual(new Set([ESP]));
      });

      test("have made of the keys what both expect", async () => {
        const [here, there] = [
          await xfrm(ours.host, "state"),
          await xfrm(original.router.host, "state"),
        ];
        const spis = (text: string) => text.match(/spi 0x[0-9a-f]{8}/g)?.sort();
        const keys = (text: string) =>
          text.match(/aead rfc4106\(gcm\(aes\)\) 0x[0-9a-f]{72} 128/g)?.sort();
        for (const read of [spis, keys]) {
          expect(read(here)?.length).toBe(2);
          expect(read(there)).toEqual(read(here)!);
        }
        expect(there.match(/flag esn/g)?.length).toBe(2);
        expect(await xfrm(original.router.host, "policy")).toMatch(
          new RegExp(
            `^src ${original.router.host.ip}/32 dst ${ours.host.ip}/32 proto udp \\s+` +
              "dir out priority 0 .*\\s+mark 0x20000/0x20000 \\s+tmpl .*\\s+proto esp spi .* mode transport",
          ),
        );
        expect(rulesAbout(original, ours.host.ip).length).toBe(3);
      });

      test("go on where 32 bits of the sequence end", async () => {
        const { host } = original.router;
        continueAt(0xffff_ff80, ours.host, host);
        continueAt(0xffff_ff80, host, ours.host);
        await c1.pings(ip2);
        const { stdout } = await c1.exec(["ping", "-q", "-c", "400", "-i", "0.002", ip2]);
        expect(stdout).toContain(" 400 received");
        for (const each of [ours.host, host]) {
          for (const packets of await counted(each)) expect(packets).toBeGreaterThan(2n ** 32n);
        }
      });

      test(`leak nothing when ours is killed and started ${restarts} times`, async () => {
        const peers = dialler === "ours" ? [original.router.host.ip] : [];
        for (let left = restarts; left > 0; left--) {
          await ours.stop("SIGKILL");
          await ours.start({ password, peers });
        }
        for (const router of [ours, original.router]) await byFastdp(router);
        await c1.pings(ip2, 30_000);
        const associations = (text: string) => text.match(/proto esp spi/g)?.length;
        for (const host of [ours.host, original.router.host]) {
          await eventually(
            `two associations at ${host.namespace}`,
            () => xfrm(host, "state"),
            (text) => associations(text) === 2,
          );
        }
        expect((await xfrm(original.router.host, "policy")).match(/^src/gm)?.length).toBe(1);
        expect(rulesAbout(original, ours.host.ip).length).toBe(3);
      });

      test("leave nothing at either when ours stops", async () => {
        await ours.stop("SIGTERM");
        for (const host of [ours.host, original.router.host]) {
          await eventually(
            `no associations or policies at ${host.namespace}`,
            async () => (await xfrm(host, "state")) + (await xfrm(host, "policy")),
            (text) => text === "",
          );
        }
        expect(rulesAbout(original, ours.host.ip)).toEqual([]);
      });
    });
  }
}
