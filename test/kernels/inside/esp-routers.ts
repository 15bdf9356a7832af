import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import { NetworkNamespace, namedNamespaceFolder } from "../../../lib/host/netns.ts";
import { udpIn } from "../../host/laboratory.ts";
import { Capture, ipProtocol } from "../../hosts/capture.ts";
import { containerOn, overFor } from "../../hosts/fastdp-lab.ts";
import { type Container, type Host, Lab } from "../../hosts/lab.ts";
import { eventually, must } from "../../hosts/shell.ts";
import { transfer } from "../../hosts/traffic.ts";
import { continueAt, counted } from "./esp-sequence.ts";
import { useOpenvswitch } from "./hosts.ts";

const ESP = 50;
const env = { WEAVE_PASSWORD: "a password for the guests" };

/** What `ip xfrm` lists at a host. */
function xfrm(host: Host, what: "state" | "policy"): Promise<string> {
  return must(["ip", "-n", host.namespace, "xfrm", what]);
}

/** Protocols of what passes a host's cable of VXLAN and of ESP, packet by packet. */
async function passing(host: Host, during: () => Promise<unknown>): Promise<number[]> {
  await using capture = await Capture.start(host, "eth0", "udp port 6784 or esp");
  await during();
  return capture.packets.map(ipProtocol);
}

for (const backend of ["ebpf", "ovs"] as const) {
  describe(`two routers with a password on kernels with ESP and ${backend}`, () => {
    let lab: Lab;
    let one: Host;
    let two: Host;
    let c1: Container;
    let c2: Container;
    let ip2: string;

    beforeAll(async () => {
      lab = await Lab.onSwitch("ke", 3);
      [one, two] = lab.hosts as [Host, Host];
      for (const host of [one, two]) {
        host.fastdp = true;
        if (backend === "ovs") await useOpenvswitch(host);
      }
      await one.launch([], { env });
      await two.launch([one.ip], { env });
      ({ container: c1 } = await containerOn(one, "c1"));
      ({ container: c2, ip: ip2 } = await containerOn(two, "c2"));
    });

    afterAll(() => lab?.[Symbol.asyncDispose]());

    test("are connected over encrypted fastdp", async () => {
      const text = await overFor(two, "fastdp", 1);
      expect(text).toMatch(/ established encrypted +fastdp .*encrypted=true/);
      await overFor(one, "fastdp", 1);
      const format = "{{.Router.Datapath.Backend}}";
      expect(await one.mustWeave(["report", "-f", format])).toBe(backend);
    });

    test("send nothing on their cable but ESP", async () => {
      await c1.pings(ip2);
      const protocols = await passing(one, async () => {
        const { sent, received } = await transfer(c1, c2, ip2, 5_000_000);
        expect(received).toBe(sent);
      });
      // Super-frames pass as one packet.
      expect(protocols.length).toBeGreaterThan(20);
      expect(new Set(protocols)).toEqual(new Set([ESP]));
    });

    test("have an association for each direction, with 64-bit sequence numbers", async () => {
      const states = await xfrm(one, "state");
      expect(states.match(/proto esp spi 0x[0-9a-f]{8}/g)?.length).toBe(2);
      expect(states.match(/aead rfc4106\(gcm\(aes\)\) 0x[0-9a-f]{72} 128/g)?.length).toBe(2);
      expect(states.match(/flag esn/g)?.length).toBe(2);
      expect(states).toContain("replay_window 256");
      expect(states).toContain("mode transport");
    });

    test("lose no packet where 32 bits of the sequence end", async () => {
      continueAt(0xffff_ff80, one, two);
      continueAt(0xffff_ff80, two, one);
      await c1.pings(ip2);
      const { stdout } = await c1.exec(["ping", "-q", "-c", "400", "-i", "0.002", ip2]);
      expect(stdout).toContain(" 400 received");
      for (const host of [one, two]) {
        for (const packets of await counted(host)) expect(packets).toBeGreaterThan(2n ** 32n);
      }
    });

    test("encrypt again after one of them was killed, and never send in clear meanwhile", async () => {
      const protocols = await passing(one, async () => {
        process.kill(await two.routerPid(), "SIGKILL");
        await two.launch([one.ip], { env });
        await overFor(two, "fastdp", 1);
        await overFor(one, "fastdp", 1);
        await c1.pings(ip2);
      });
      expect(new Set(protocols)).toEqual(new Set([ESP]));
      const states = await xfrm(two, "state");
      expect(states.match(/proto esp spi 0x[0-9a-f]{8}/g)?.length).toBe(2);
    });

    test("take nothing that comes in clear", async () => {
      const refused = async (): Promise<number> => {
        const text = (await two.exec(["cat", "/proc/net/xfrm_stat"])).stdout;
        return Number(/XfrmInTmplMismatch\s+(\d+)/.exec(text)?.[1]);
      };
      const before = await refused();
      // Somebody else on the wire says to be the neighbour.
      const forger = lab.hosts[2]!;
      await must(["ip", "-n", forger.namespace, "addr", "add", `${one.ip}/32`, "dev", "lo"]);
      using namespace = new NetworkNamespace(`${namedNamespaceFolder}/${forger.namespace}`);
      const socket = udpIn(namespace);
      const vxlan = Uint8Array.from({ length: 64 }, (_, at) => (at === 0 ? 8 : 0));
      const way = { from: parseIpv4(one.ip), to: parseIpv4(two.ip) };
      const route = { ...way, port: 6784, dontFragment: true };
      socket.append(route, 0, vxlan, vxlan.length);
      socket.flush(() => {});
      await eventually("a clear packet refused", refused, (count) => count > before);
      socket.close();
      await must(["ip", "-n", forger.namespace, "addr", "del", `${one.ip}/32`, "dev", "lo"]);
    });

    test("leave neither associations nor policies after a stop or a reset, and those of others", async () => {
      const cipher = ["aead", "rfc4106(gcm(aes))", `0x${"11".repeat(20)}`, "128"];
      const ends = ["src", "192.0.2.1", "dst", "192.0.2.2"];
      const own = ["proto", "esp", "spi", "0x1001", "reqid", "7", "mode", "transport"];
      for (const [host, command] of [
        [two, "stop"],
        [one, "reset"],
      ] as const) {
        const ip = ["ip", "-n", host.namespace, "xfrm"];
        await must([...ip, "state", "add", ...ends, ...own, ...cipher]);
        await must([...ip, "policy", "add", ...ends, "dir", "out", "action", "block"]);
        await host.mustWeave([command]);
        expect((await xfrm(host, "state")).match(/reqid \S+/g)).toEqual(["reqid 7"]);
        expect((await xfrm(host, "policy")).match(/^src \S+ dst \S+/gm)).toEqual([
          "src 192.0.2.1/32 dst 192.0.2.2/32",
        ]);
      }
    });
  });
}
