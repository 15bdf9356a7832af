import { describe, expect, test } from "bun:test";
import { handoverMark, isHandoverMark } from "../../../lib/overlay/fastdp/ports.ts";
import { makeVni, vniDestination, vniOriginator } from "../../../lib/overlay/fastdp/vni.ts";
import vectors from "../../vectors/fastdp/vni.json";

describe("a VNI", () => {
  for (const vector of vectors.cases) {
    test(`says whose frame it is and whom it is for: ${vector.vxlan_header}`, () => {
      const { src_short_id, dst_short_id, vni, vxlan_header, ovs_tunnel_id } = vector;
      expect(makeVni(src_short_id, dst_short_id)).toBe(vni);
      expect(vniOriginator(vni)).toBe(vector.decoded_src);
      expect(vniDestination(vni)).toBe(vector.decoded_dst);
      const hex = vni.toString(16).padStart(6, "0");
      expect(vxlan_header).toBe(`08000000${hex}00`);
      expect(ovs_tunnel_id).toBe(`0000000000${hex}`);
    });
  }
});

describe("a mark between datapath and sleeve", () => {
  test("is a VNI and says that it is a mark", () => {
    const mark = handoverMark(291, 2748);
    expect(mark).toBe(0x01abc123);
    expect([vniOriginator(mark), vniDestination(mark)]).toEqual([291, 2748]);
    expect([mark, 0, 0x00abc123, 0x02abc123, 0x03000000, 0x81000000].map(isHandoverMark)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
