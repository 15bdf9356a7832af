import { describe, expect, test } from "bun:test";
import { defaultDeviceNames } from "../../lib/host/device-names.ts";
import { chooseWiring, detectWiring } from "../../lib/host/wiring.ts";

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

describe("the choice of a wiring", () => {
  const choose = (
    requested: "bridge" | "bridged_fastdp" | "fastdp",
    existing: "bridge" | "bridged_fastdp" | "fastdp" | undefined,
    datapathSupported: boolean,
  ) => chooseWiring({ requested, existing, datapathSupported });

  test("follows the request where the kernel can", () => {
    expect(choose("bridge", undefined, true).wiring).toBe("bridge");
    expect(choose("bridged_fastdp", undefined, true).wiring).toBe("bridged_fastdp");
    expect(choose("fastdp", "fastdp", true)).toEqual({ wiring: "fastdp", reason: "as requested" });
  });

  test("falls back on the bridge at the first start and at every later one", () => {
    for (const existing of [undefined, "bridge"] as const) {
      const { wiring, reason } = choose("bridged_fastdp", existing, false);
      expect(wiring).toBe("bridge");
      expect(reason).toContain("no Open vSwitch datapath");
    }
  });

  test("never destroys what stands", () => {
    expect(() => choose("bridge", "bridged_fastdp", true)).toThrow(
      'Existing bridge type "bridged_fastdp" is different than requested "bridge". ' +
        "Please do 'weave reset' and try again",
    );
  });
});
