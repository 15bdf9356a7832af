import { describe, expect, test } from "bun:test";
import { defaultDeviceNames } from "../../lib/host/device-names.ts";
import { detectWiring, possibleDatapaths } from "../../lib/host/wiring.ts";

const bridge = { name: "weave", kind: "bridge" };
const ovsBridge = { name: "weave", kind: "openvswitch" };
const datapath = { name: "datapath", kind: "openvswitch" };

describe("what stands on the host", () => {
  test("is recognised by bridge and datapath", () => {
    const detect = (...links: { name: string; kind: string }[]) =>
      detectWiring([{ name: "eth0", kind: "" }, ...links], defaultDeviceNames);
    expect(detect()).toBeUndefined();
    expect(detect(bridge)).toBe("bridge");
    expect(detect(ovsBridge)).toBe("fastdp");
    expect(detect(bridge, datapath)).toBe("bridged_fastdp");
  });

  test("that does not go together is named, with the way out", () => {
    for (const links of [
      [datapath],
      [{ name: "weave", kind: "tun" }],
      [ovsBridge, datapath],
      [bridge, { name: "datapath", kind: "veth" }],
    ]) {
      expect(() => detectWiring(links, defaultDeviceNames)).toThrow(
        expect.objectContaining({
          code: "WIRING_INCONSISTENT",
          message: expect.stringMatching(
            /^Inconsistent bridge state detected: found .*weave reset/,
          ),
        }),
      );
    }
  });
});

describe("datapaths that may be tried", () => {
  test("are all on a new host, and where frames were captured before", () => {
    for (const existing of [undefined, "bridge"] as const) {
      expect(possibleDatapaths("bridged_fastdp", existing)).toEqual(["ebpf", "ovs"]);
      expect(possibleDatapaths("fastdp", existing)).toEqual(["ebpf", "ovs"]);
      expect(possibleDatapaths("bridge", existing)).toEqual([]);
    }
  });

  test("are what stands already", () => {
    expect(possibleDatapaths("bridged_fastdp", "bridged_fastdp")).toEqual(["ovs"]);
  });

  test("never destroy what stands", () => {
    expect(() => possibleDatapaths("bridge", "bridged_fastdp")).toThrow(
      'Existing bridge type "bridged_fastdp" is different than requested "bridge". ' +
        "Please do 'weave reset' and try again",
    );
    expect(() => possibleDatapaths("bridged_fastdp", "fastdp")).toThrow("weave reset");
  });
});
