import { describe, expect, test } from "bun:test";
import { plainVxlan, vxlanHeaders } from "../../hosts/capture.ts";
import { type Host, Lab } from "../../hosts/lab.ts";
import { must } from "../../hosts/shell.ts";
import { transfer } from "../../hosts/traffic.ts";
import { referenceBinary } from "../../interop/reference-router.ts";
import { disposeAll, type Kind, type Router, routerOn } from "../../interop/routers.ts";
import { useOpenvswitch } from "./hosts.ts";
import { GuestOriginal } from "./original.ts";
import { Pair, type PairOptions } from "./pair.ts";

const diallers: readonly Kind[] = ["ours", "original"];
const vxlan = ["protocol", "ip", "flower", "ip_proto", "udp", "dst_port", "6784"];
/** IP packets of 1408 to 1535 octets: full heartbeats, and what containers send as long as it fits. */
const longPackets = ["protocol", "ip", "u32", "match", "u16", "0x0580", "0xff80", "at", "2"];

/** Loses what a filter of tc matches, both ways of the host's cable; gives what ends that. */
async function loses(host: Host, match: readonly string[]): Promise<() => Promise<string>> {
  const tc = ["tc", "-n", host.namespace];
  const device = ["dev", "eth0"];
  await must([...tc, "qdisc", "add", ...device, "clsact"]);
  for (const edge of ["ingress", "egress"]) {
    await must([...tc, "filter", "add", ...device, edge, ...match, "action", "drop"]);
  }
  return () => must([...tc, "qdisc", "del", ...device, "clsact"]);
}

async function inPair(options: PairOptions, use: (pair: Pair) => Promise<void>): Promise<void> {
  await using pair = await Pair.up(options);
  await use(pair);
}

function pairs(): void {
  for (const backend of ["ebpf", "ovs"] as const) {
    const whose = `one of ours by ${backend} and an original`;

    test(`${whose} take sleeve while VXLAN is lost, and fastdp again when it is not`, () =>
      inPair({ dialler: "ours", backend }, async (pair) => {
        await pair.carriedBy("fastdp");
        const found = await loses(pair.ours.host, vxlan);
        await pair.carriedBy("sleeve");
        await pair.carriesFrames();
        await found();
        await pair.carriedBy("fastdp");
        await pair.carriesFrames();
      }));

    test(`${whose} take sleeve where long packets are lost`, async () => {
      const before = async (ours: Host) => void (await loses(ours, longPackets));
      await inPair({ dialler: "original", backend, before }, async (pair) => {
        await pair.carriedBy("sleeve");
        await pair.carriesFrames();
        const [one, two] = pair.ends!;
        const { sent, received } = await transfer(one.container, two.container, two.ip, 1_000_000);
        expect(received).toBe(sent);
      });
    });

    for (const dialler of diallers) {
      const other = dialler === "ours" ? "original" : "ours";
      test(`${whose} use the VXLAN port of who accepts at another port: ${other}`, () =>
        inPair({ dialler, backend, port: 7000 }, async (pair) => {
          await pair.carriedBy("fastdp");
          await pair.carriesFrames();
          for (const packet of await pair.passing(7001)) {
            expect(vxlanHeaders(packet)).toMatchObject({ ...plainVxlan, port: 7001 });
          }
        }));
    }

    test(`${whose} use fastdp with different MTUs`, () =>
      inPair({ dialler: "ours", backend, flags: { ours: ["--mtu", "1400"] } }, async (pair) => {
        await pair.carriedBy("fastdp");
        await pair.carriesFrames();
      }));
  }
}

/** Who has no datapath carries by sleeve, and the others to it. */
type Carrier = "ebpf" | "ovs" | "original" | "ours by sleeve" | "original by sleeve";

function carrierOn(host: Host, kind: Carrier): Router {
  if (kind === "original") return new GuestOriginal(host).router;
  if (kind === "original by sleeve") return new GuestOriginal(host, false).router;
  host.fastdp = kind !== "ours by sleeve";
  return routerOn(host, "ours");
}

/** The first of them is connected to all others, which are not connected to each other. */
async function isOneNetwork(kinds: readonly Carrier[]): Promise<void> {
  await using lab = await Lab.onSwitch("kx", kinds.length);
  const routers = lab.hosts.map((host, at) => carrierOn(host, kinds[at]!));
  try {
    const flags = ["--no-discovery", "--ipalloc-init", `seed=${lab.hosts[0]!.peerName}`];
    const ends: Awaited<ReturnType<Router["container"]>>[] = [];
    for (const [at, router] of routers.entries()) {
      if (kinds[at] === "ovs") await useOpenvswitch(router.host);
      await router.start({ flags, peers: at === 0 ? [] : [lab.hosts[0]!.ip] });
    }
    for (const router of routers) ends.push(await router.container(`c${router.host.number}`));
    for (const from of ends) {
      for (const to of ends) if (to !== from) await from.container.pings(to.ip, 30_000);
    }
  } finally {
    await disposeAll(routers);
  }
}

const stars: readonly (readonly Carrier[])[] = [
  ["ours by sleeve", "original", "ebpf"],
  ["original by sleeve", "ovs", "original"],
  ["original", "ours by sleeve", "ebpf", "original by sleeve"],
  ["ebpf", "original by sleeve", "original", "ovs"],
];

if (referenceBinary === undefined) {
  test("fastdp beside an original needs a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  pairs();
  describe("a star of originals and ours, with and without datapath, is one network:", () => {
    for (const kinds of stars) {
      const [centre, ...others] = kinds;
      test(`${others.join(", ")} around ${centre}`, () => isOneNetwork(kinds));
    }
  });
}
