import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { parseCidr } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import type { LaunchOptions } from "../../lib/daemon/launch-options.ts";
import { launchOptions } from "../../lib/daemon/launch-validation.ts";
import { prepareHost } from "../../lib/daemon/prepare-host.ts";
import { attachContainer } from "../../lib/host/attach.ts";
import { removeBridge } from "../../lib/host/bridge.ts";
import type { DatapathBackend, HostDatapath } from "../../lib/host/datapath/backend.ts";
import { defaultDeviceNames as names } from "../../lib/host/device-names.ts";
import { addAddress } from "../../lib/host/netlink/address.ts";
import type { Netlink } from "../../lib/host/netlink/conversation.ts";
import {
  changeLink,
  createVeth,
  deleteLink,
  findLink,
  listLinks,
} from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { Laboratory, recordingLog } from "../host/laboratory.ts";
import { MemoryKernel, VxlanWire } from "../overlay/fastdp/memory-kernel.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";

const peer = parsePeerName("::1");
const handoverPort = 42;

/** A backend that does what the test says and notes what it is asked. */
function backend(
  name: DatapathBackend["name"],
  { refusal, failure }: { refusal?: string; failure?: string } = {},
): DatapathBackend & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    name,
    asked,
    refusal: () => refusal,
    open({ mtu, port }): HostDatapath {
      asked.push(`open ${mtu} ${port}`);
      if (failure !== undefined) throw new Error(failure);
      const wire = new VxlanWire(new VirtualClock());
      return {
        ...new MemoryKernel(wire, 1, mtu).open(),
        handoverPort,
        devices: () => ["vethwe-bridge"],
        mend: () => [],
      };
    },
    remove() {
      asked.push("remove");
      return [];
    },
  };
}

describe("a host", () => {
  const laboratory = new Laboratory("prepare");
  const log = recordingLog();
  let host: NetworkNamespace;
  let netlink: Netlink;

  beforeAll(() => {
    host = laboratory.namespace("h");
    netlink = openRoute(host);
  });
  afterEach(() => {
    removeBridge(netlink, names);
    log.lines.splice(0);
  });
  afterAll(() => {
    netlink.close();
    laboratory.close();
  });

  function prepare(backends: readonly DatapathBackend[], options: Partial<LaunchOptions> = {}) {
    const words = { peers: [], enabled: () => false, text: () => undefined };
    const asked = { ...launchOptions(words, { hostname: "host1" }), ...options };
    return host.run(() => prepareHost(asked, names, peer, backends, log));
  }

  const linkNames = () =>
    listLinks(netlink)
      .map(({ name }) => name)
      .sort();

  test("takes the first datapath that can run, and keeps why others cannot", () => {
    const ebpf = backend("ebpf", { refusal: "the kernel has no BPF" });
    const ovs = backend("ovs");
    const { datapath, standing, refusals } = prepare([ebpf, ovs]);
    expect(datapath?.mtu).toBe(1376);
    expect(standing.captureInterface).toBe(handoverPort);
    expect([...refusals]).toEqual([["ebpf", "the kernel has no BPF"]]);
    expect(ovs.asked).toEqual(["open 1376 6784"]);
    expect(ebpf.asked).toEqual(["remove"]);
    expect(linkNames()).toEqual(["lo", "weave"]);
    expect(findLink(netlink, { name: "weave" })?.mtu).toBe(1376);
  });

  test("without any datapath starts every time, with frames captured, and says why", () => {
    const backends = [
      backend("ebpf", { refusal: "no BPF" }),
      backend("ovs", { failure: "UDP port 6784 is in use" }),
    ];
    for (let start = 1; start <= 2; start++) {
      const { datapath, refusals } = prepare(backends);
      expect(datapath).toBeUndefined();
      expect([...refusals]).toEqual([
        ["ebpf", "no BPF"],
        ["ovs", "UDP port 6784 is in use"],
      ]);
      expect(linkNames()).toEqual(["lo", "vethwe-bridge", "vethwe-pcap", "weave"]);
      expect(findLink(netlink, { name: "weave" })?.mtu).toBe(65535);
    }
    expect(log.lines.join()).toContain("the ovs datapath cannot run here: UDP port 6784 is in use");
  });

  test("tries none when told so, and lets none forward that stood before", () => {
    const ebpf = backend("ebpf");
    const { datapath, refusals } = prepare([ebpf], { fastdp: false });
    expect(datapath).toBeUndefined();
    expect([...refusals]).toEqual([["fastdp", "switched off by --no-fastdp"]]);
    expect(ebpf.asked).toEqual(["remove"]);
  });

  test("tries none where all frames are to be encrypted", () => {
    const ebpf = backend("ebpf");
    const { datapath, refusals } = prepare([ebpf], { password: "secret" });
    expect(datapath).toBeUndefined();
    expect(refusals.get("fastdp")).toContain("frames are encrypted");
    expect(ebpf.asked).toEqual(["remove"]);
  });

  test("adopts nothing that was sent in clear where some frames are to be encrypted", () => {
    const ebpf = backend("ebpf");
    prepare([ebpf], { password: "secret", trustedSubnets: ["10.9.0.0/16"] });
    expect(ebpf.asked).toEqual(["remove", "open 1376 6784"]);
  });

  test("that captured frames so far goes over to a datapath, its containers with it", () => {
    prepare([]);
    const namespace = laboratory.namespace("c");
    const target = { bridgeName: names.bridge, ident: "c1", namespace, log };
    host.run(() => attachContainer(target, { addresses: [], multicastRoute: false }));
    using guest = openRoute(namespace);
    expect(findLink(guest, { name: "ethwe" })?.mtu).toBe(65535);
    const { standing } = prepare([backend("ebpf")], { mtu: 1400 });
    expect(standing.captureInterface).toBe(handoverPort);
    expect(linkNames().filter((name) => name.startsWith("vethwe-"))).toEqual([]);
    expect(findLink(guest, { name: "ethwe" })?.mtu).toBe(1400);
    expect(log.lines).toContain("info set the MTU of c1 from 65535 to 1400");
    // And back, which needs nothing of them.
    prepare([], { fastdp: false });
    expect(findLink(guest, { name: "ethwe" })?.mtu).toBe(1400);
  });

  test("gives its containers what its own network carries when told to find out", () => {
    const namespace = laboratory.namespace("auto");
    prepare([backend("ebpf")]);
    const target = { bridgeName: names.bridge, ident: "c2", namespace, log };
    host.run(() => attachContainer(target, { addresses: [], multicastRoute: false }));
    using guest = openRoute(namespace);
    const mtus = () => [
      findLink(netlink, { name: "weave" })?.mtu,
      findLink(guest, { name: "ethwe" })?.mtu,
    ];
    const auto = (more: Partial<LaunchOptions> = {}) =>
      prepare([backend("ebpf")], { mtu: "auto", ...more }).datapath?.mtu;
    expect(auto()).toBe(1376);
    expect(log.lines.at(-2)).toContain("no interface leads to other hosts");
    createVeth(netlink, { name: "eth0", mtu: 9000 }, { name: "eth0-far", mtu: 9000 });
    const { index } = findLink(netlink, { name: "eth0" })!;
    changeLink(netlink, index, { up: true });
    addAddress(netlink, index, parseCidr("192.168.1.1/24"));
    expect(auto()).toBe(8950);
    expect(mtus()).toEqual([8950, 8950]);
    expect(log.lines).toContain("info set the MTU of c2 from 1376 to 8950");
    expect(auto({ password: "secret", trustedSubnets: ["10.9.0.0/16"] })).toBe(8916);
    expect(mtus()).toEqual([8916, 8916]);
    // Sleeve finds out by itself.
    expect(auto({ fastdp: false })).toBeUndefined();
    expect(mtus()).toEqual([65_535, 8916]);
    // Without being told, as ever.
    prepare([backend("ebpf")]);
    expect(mtus()).toEqual([1376, 1376]);
    deleteLink(netlink, index);
  });
});
