import { expect, test } from "bun:test";
import { differences, linkFacts, silentEnds } from "../../lib/api/link-ends.ts";
import type { PictureLink } from "../../lib/api/picture-models.ts";
import { end, link, some } from "../ui/some-picture.ts";

const withEnds = (ends: PictureLink["ends"]): PictureLink => ({ ...link("7a:b", "7a:c"), ends });

test("of a link of others is known what an end says, and nothing where neither does", () => {
  expect(linkFacts(withEnds({ to: end() }))).toEqual({
    ...{ overlay: "fastdp", encrypted: false, mtu: 1376, roundTripMs: 0.3 },
  });
  expect(linkFacts(withEnds({}))).toEqual({
    ...{ overlay: "", encrypted: undefined, mtu: undefined, roundTripMs: undefined },
  });
});

test("where two ends differ the lesser counts, and the difference is known", () => {
  const differing = withEnds({
    from: end({ overlay: "fastdp", mtu: 1376 }),
    to: { ...end({ overlay: "sleeve", mtu: 1438 }), encrypted: true, roundTripMs: 0.2 },
  });
  expect(linkFacts(differing)).toEqual({
    ...{ overlay: "sleeve", encrypted: false, mtu: 1376, roundTripMs: 0.2 },
  });
  // That their packets have not the same size follows from the first.
  expect(differences(differing)).toEqual([
    { what: "overlay", from: "fastdp", to: "sleeve" },
    { what: "encrypted", from: "no", to: "yes" },
  ]);
  const sizes = withEnds({ from: end({ mtu: 1376 }), to: end({ mtu: 8000 }) });
  expect(differences(sizes)).toEqual([{ what: "mtu", from: "1376", to: "8000" }]);
});

test("two ends do not differ while one has told nothing, or nothing yet", () => {
  expect(differences(withEnds({ from: end() }))).toEqual([]);
  expect(differences(withEnds({ from: end(), to: end({ overlay: "" }) }))).toEqual([]);
  const pending = { ...end({ overlay: "sleeve" }), established: false };
  expect(differences(withEnds({ from: end(), to: pending }))).toEqual([]);
});

test("of its own links a host believes itself, and shows where the other end says otherwise", () => {
  const own = link("7a:a", "7a:b", { overlay: "fastdp" });
  const differing = { ...own, ends: { ...own.ends, to: end({ overlay: "sleeve" }) } };
  expect(linkFacts(differing).overlay).toBe("fastdp");
  expect(differences(differing)).toHaveLength(1);
});

test("ends that have told nothing are named, but for this host", () => {
  const picture = some({ peers: ["a", "b", "c"] });
  expect(silentEnds(picture, withEnds({ from: end() }))).toEqual(["7a:c"]);
  expect(silentEnds(picture, withEnds({}))).toEqual(["7a:b", "7a:c"]);
  expect(silentEnds(picture, link("7a:a", "7a:b"))).toEqual(["7a:b"]);
});
