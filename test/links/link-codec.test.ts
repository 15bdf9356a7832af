import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { toHex } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import {
  decodeLinks,
  encodeInterest,
  encodeSummary,
  interestMaxMs,
  messageOctetsMax,
} from "../../lib/links/link-codec.ts";
import { type LinkView, linksMax, mostUsed } from "../../lib/links/link-view.ts";
import { encodeGob, gob } from "../../lib/wire/gob.ts";
import { fuzz } from "../fuzz/mutate.ts";

const fast: LinkView = {
  ...{ peer: 0x7a0000000002 as PeerName, isEstablished: true, overlay: "fastdp" },
  ...{ isEncrypted: true, mtu: 1376, roundTripMs: 0.312 },
  traffic: { sentPackets: 3, sentBytes: 3000, receivedPackets: 2, receivedBytes: 2 ** 40 },
  loss: { to: { frames: 300, lost: 3 }, from: { frames: 200, lost: 0 } },
};
const unknown: LinkView = {
  ...{ peer: 0x7a0000000003 as PeerName, isEstablished: false, overlay: "" },
  ...{ isEncrypted: false, mtu: undefined, roundTripMs: undefined, traffic: undefined },
  loss: undefined,
};
const summary = { countedMs: 12_345, links: [fast, unknown] };

/** From the definitions on, which are the same in every message. */
const definitions =
  "44ff81030101054c696e6b7301ff820001050105436c6f636b01060001034e6f770102000105466f724d73010600010554656c6c7301020001054c696e6b7301ff8600000014ff85020101054c696e6b7301ff860001ff840000ffecff83030101044c696e6b01ff84000110010450656572010600010b45737461626c697368656401020001074f7665726c6179010c000109456e6372797074656401020001034d54550106000109526f756e64547269700106000107436f756e746564010200010b53656e745061636b657473010600010953656e744279746573010600010f52656365697665645061636b657473010600010d526563656976656442797465730106000108436f6d706172656401020001084672616d6573546f01060001064c6f7374546f010600010a4672616d657346726f6d01060001084c6f737446726f6d0106000000";

describe("a message of links", () => {
  test("is on the wire as it is documented", () => {
    expect(toHex(encodeInterest({ isNow: true, forMs: 45_000 }, 12_345.6))).toBe(
      `${definitions}0dff8201fe3039010101feafc800`,
    );
    expect(toHex(encodeSummary(summary))).toBe(
      `${definitions}4eff8201fe30390301010201fa7a000000000201010106666173746470010101fe056001fe01380101010301fe0bb8010201fa010000000000010101fe012c010301ffc80001fa7a00000000030000`,
    );
  });

  test("is read as it was written", () => {
    const interest = { isNow: false, forMs: 45_000 };
    expect(decodeLinks(encodeInterest(interest, 5))).toEqual({ interest, summary: undefined });
    expect(decodeLinks(encodeSummary(summary))).toEqual({ interest: undefined, summary });
    const nothing = { countedMs: 7, links: [] };
    expect(decodeLinks(encodeSummary(nothing)).summary).toEqual(nothing);
  });

  test("asks for no longer than anybody may", () => {
    const { interest } = decodeLinks(encodeInterest({ isNow: false, forMs: 1e12 }, 0));
    expect(interest).toEqual({ isNow: false, forMs: interestMaxMs });
  });

  test("of a later version is read but for what is new in it", () => {
    const link = gob.struct("Link", { Peer: gob.uint, Colour: gob.string, Overlay: gob.string });
    const later = gob.struct("Links", {
      ...{ Weather: gob.string, Tells: gob.bool },
      Links: gob.slice(link, { name: "Links" }),
    });
    const body = encodeGob(later, {
      ...{ Weather: "fair", Tells: true },
      Links: [{ Peer: 5, Colour: "green", Overlay: "later" }],
    });
    const read = decodeLinks(body).summary?.links;
    expect(read).toEqual([{ ...unknown, peer: 5 as PeerName, overlay: "later" }]);
  });

  test.each([
    ["too many links", Array.from({ length: linksMax + 1 }, (_, at) => ({ ...fast, peer: at }))],
    ["two links to one peer", [fast, fast]],
    ["an overlay that moves the cursor", [{ ...fast, overlay: "\u001b[2J" }]],
    ["an overlay without end", [{ ...fast, overlay: "a".repeat(33) }]],
    ["packets larger than any", [{ ...fast, mtu: 65_536 }]],
    ["a round trip of days", [{ ...fast, roundTripMs: 1e8 }]],
    ["more lost than sent", [{ ...fast, loss: { ...fast.loss!, to: { frames: 1, lost: 2 } } }]],
    ["a peer beyond 48 bits", [{ ...fast, peer: 2 ** 48 }]],
  ])("with %s is refused as a whole", (_, links) => {
    const body = encodeSummary({ countedMs: 0, links: links as LinkView[] });
    expect(() => decodeLinks(body)).toThrow(WeaveError);
  });

  test("that is too long is not even looked at", () => {
    expect(() => decodeLinks(new Uint8Array(messageOctetsMax + 1))).toThrow(/octets of links/);
  });

  test("with as many links as there may be has room, whatever they carry", () => {
    const links = Array.from({ length: linksMax }, (_, at) => ({
      ...{ ...fast, peer: (2 ** 48 - 1 - at) as PeerName, overlay: "x".repeat(32), mtu: 65_535 },
      loss: {
        to: { frames: 2 ** 53 - 1, lost: 2 ** 53 - 1 },
        from: { frames: 2 ** 53 - 1, lost: 2 ** 53 - 1 },
      },
      traffic: {
        ...{ sentPackets: 2 ** 53 - 1, sentBytes: 2 ** 53 - 1 },
        ...{ receivedPackets: 2 ** 53 - 1, receivedBytes: 2 ** 53 - 1 },
      },
    }));
    const body = encodeSummary({ countedMs: 2 ** 40, links });
    expect(body.length).toBeLessThan(0.6 * messageOctetsMax);
    expect(decodeLinks(body).summary?.links).toEqual(links);
  });

  test("survives everything that happens on a wire: it is read or refused, quickly", () => {
    const recorded = [encodeSummary(summary), encodeInterest({ isNow: true, forMs: 1 }, 9)];
    fuzz(20_261, recorded, 20_000, (body) => {
      try {
        const { summary: read } = decodeLinks(body);
        expect(read?.links.length ?? 0).toBeLessThanOrEqual(linksMax);
      } catch (error) {
        if (!(error instanceof WeaveError)) throw error;
      }
    });
  });
});

const someLoss = fc
  .tuple(fc.maxSafeNat(), fc.nat(100))
  .map(([frames, share]) => ({ frames, lost: Math.floor((frames / 100) * share) }));

const someLink: fc.Arbitrary<LinkView> = fc.record({
  peer: fc.integer({ min: 1, max: 2 ** 48 - 1 }).map((peer) => peer as PeerName),
  isEstablished: fc.boolean(),
  overlay: fc.constantFrom("", "sleeve", "fastdp"),
  isEncrypted: fc.boolean(),
  loss: fc.option(fc.record({ to: someLoss, from: someLoss }), { nil: undefined }),
  mtu: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
  roundTripMs: fc.option(
    fc.integer({ min: 1, max: 3_600_000_000 }).map((micros) => micros / 1000),
    { nil: undefined },
  ),
  traffic: fc.option(
    fc.record({
      ...{ sentPackets: fc.maxSafeNat(), sentBytes: fc.maxSafeNat() },
      ...{ receivedPackets: fc.maxSafeNat(), receivedBytes: fc.maxSafeNat() },
    }),
    { nil: undefined },
  ),
});

test("whatever a peer may say of its links is read as it was meant", () => {
  const links = fc.uniqueArray(someLink, { maxLength: 40, selector: ({ peer }) => peer });
  fc.assert(
    fc.property(links, fc.nat(), (told, countedMs) => {
      const sent = { countedMs, links: told };
      expect(decodeLinks(encodeSummary(sent)).summary).toEqual(sent);
    }),
    { seed: 20_262 },
  );
});

test("of too many links those are told that carry most", () => {
  const links = Array.from({ length: 2 * linksMax }, (_, at) => ({
    ...{ ...fast, peer: (at + 1) as PeerName },
    traffic: { ...fast.traffic!, sentBytes: at, receivedBytes: 0 },
  }));
  const told = mostUsed([unknown, ...links]);
  expect(told).toHaveLength(linksMax);
  expect(Math.min(...told.map(({ peer }) => peer))).toBe(linksMax + 1);
  expect(mostUsed([unknown, fast])).toEqual([unknown, fast]);
});
