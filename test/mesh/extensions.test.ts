import { describe, expect, test } from "bun:test";
import {
  extensionsFeature,
  extensionsMax,
  formatExtensions,
  negotiateExtensions,
  ownExtensions,
} from "../../lib/mesh/extensions.ts";
import { ownFeatures } from "../../lib/mesh/features.ts";
import { nameOf } from "./records.ts";

const own = {
  name: nameOf(1),
  nickname: "host1",
  uid: 1n,
  connectionId: 2n,
  shortId: 3,
  trusted: false,
  overlay: new Map(),
};

/** What we and a remote that names `theirs` may use. */
function negotiated(theirs: string, version = 1): string {
  const remote = new Map([[extensionsFeature, theirs]]);
  const common = negotiateExtensions([{ name: "digests", version }], remote);
  return [...common].map(([name, theVersion]) => `${name}/${theVersion}`).join(" ");
}

describe("extensions", () => {
  test("are named in the introduction, and not at all by a peer without any", () => {
    const features = ownFeatures({ ...own, extensions: ownExtensions }, 2);
    expect(features.get(extensionsFeature)).toBe("digests/1 link-counts/1 redirects/1");
    expect(ownFeatures({ ...own, extensions: [] }, 2).has(extensionsFeature)).toBe(false);
    expect(ownFeatures(own, 2).has(extensionsFeature)).toBe(false);
  });

  test("have no place in version 1", () => {
    const features = ownFeatures({ ...own, extensions: ownExtensions }, 1);
    expect(features.has(extensionsFeature)).toBe(false);
  });

  test("are those that both sides name, in the lower version", () => {
    expect(negotiated(formatExtensions(ownExtensions))).toBe("digests/1");
    expect(negotiated("later/7 digests/3")).toBe("digests/1");
    expect(negotiated("digests/2", 3)).toBe("digests/2");
    expect(negotiated("later/7")).toBe("");
    expect(negotiateExtensions(ownExtensions, new Map()).size).toBe(0);
    expect(negotiateExtensions([], new Map([[extensionsFeature, "digests/1"]])).size).toBe(0);
  });

  test("written oddly are not understood, and spoil nothing", () => {
    for (const odd of ["", "digests", "digests/", "digests/0", "digests/-1", "digests/1.5"]) {
      expect(negotiated(odd)).toBe("");
    }
    expect(negotiated("digests/9999999")).toBe("");
    expect(negotiated("=/ü  digests/x digests/1 digests/2", 2)).toBe("digests/1");
  });

  test("beyond a number that no release has are not looked at", () => {
    const many = (count: number): string =>
      Array.from({ length: count }, (_, index) => `x${index}/1`).join(" ");
    expect(negotiated(`${many(extensionsMax - 1)} digests/1`)).toBe("digests/1");
    expect(negotiated(`${many(extensionsMax)} digests/1`)).toBe("");
  });
});
