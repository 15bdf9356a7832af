import { describe, expect, test } from "bun:test";
import { chooseBest, commonOverlays } from "../../lib/overlay/negotiation.ts";
import vectors from "../vectors/fastdp/overlay-switch.json";

describe("overlays in common with a peer", () => {
  for (const vector of vectors.negotiation) {
    test(vector.description, () => {
      const common = commonOverlays(vector.local_order, vector.remote_feature_string ?? "");
      expect(common).toEqual(vector.common_in_index_order ?? []);
    });
  }

  test("are as many as an index can tell apart", () => {
    const many = Array.from({ length: 300 }, (_, i) => `o${i}`);
    expect(commonOverlays(many, many.join(" "))).toEqual(many.slice(0, 256));
  });
});

describe("the overlay that carries", () => {
  for (const vector of vectors.choose_best) {
    test(vector.description, () => {
      const candidates = vector.forwarders.map(({ alive, established, on_hold }) => ({
        alive,
        established,
        onHold: on_hold,
      }));
      expect(chooseBest(candidates)).toBe(vector.best_index);
    });
  }
});
