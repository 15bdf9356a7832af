import { beforeEach, describe, expect, test } from "bun:test";
import { createDecipheriv } from "node:crypto";
import fc from "fast-check";
import type { Aead } from "../../../lib/base/aead.ts";
import { parsePeerName, writePeerName } from "../../../lib/base/peer-name.ts";
import { encryptedHeadSize } from "../../../lib/overlay/sleeve/datagram.ts";
import { generationMax, keyId, writeEpochField } from "../../../lib/overlay/sleeve/epoch.ts";
import { generationSecrets, KeyRatchet } from "../../../lib/overlay/sleeve/key-ratchet.ts";
import {
  epochMaxDatagrams,
  epochMaxMs,
  epochMaxOctets,
  formerEpochMs,
  RotatingOpener,
  RotatingSealer,
  unheardEpochsMax,
} from "../../../lib/overlay/sleeve/rotating-seal.ts";
import { someAead } from "../some-aead.ts";

const [one, two] = [parsePeerName("7a:9f:eb:b6:0c:6e"), parsePeerName("de:3a:11:00:42:01")];
const sessionKey = new Uint8Array(32).fill(0x5a);
const here = (generation: number) =>
  generationSecrets({ sessionKey, local: one, remote: two }, generation);
const there = (generation: number) =>
  generationSecrets({ sessionKey, local: two, remote: one }, generation);

let clock: { nowMs: number };
let sealer: RotatingSealer;
let opener: RotatingOpener;
/** Keys in use at the moment, of both ends. */
let keysInUse: number;

/** The machine's own, with its keys counted. */
const countingAead: Aead = {
  implementation: someAead.implementation,
  useKey(bytes) {
    const key = someAead.useKey(bytes);
    keysInUse++;
    return {
      seal: (...run) => key.seal(...run),
      open: (...run) => key.open(...run),
      erase() {
        keysInUse--;
        key.erase();
      },
    };
  },
};

beforeEach(() => {
  clock = { nowMs: 1000 };
  keysInUse = 0;
  sealer = new RotatingSealer({ aead: countingAead, clock, secrets: here(0) });
  opener = new RotatingOpener({ aead: countingAead, clock, secrets: there(0) });
});

const text = Uint8Array.of(1, 2, 3, 4, 5);

function sealed(length = encryptedHeadSize + text.length): Uint8Array {
  const datagram = new Uint8Array(length);
  writePeerName(datagram, 0, one);
  datagram.set(text, encryptedHeadSize);
  sealer.seal(datagram, length);
  return datagram;
}

/** What the receiver says to a copy. */
function opened(datagram: Uint8Array): string {
  const copy = datagram.slice();
  const fault = opener.open(copy, 0, copy.length);
  if (fault === undefined) expect(copy.subarray(encryptedHeadSize, 35)).toEqual(text);
  return fault ?? "ok";
}

/** Seals one datagram in each of the next epochs. */
function oneInEach(epochs: number): Uint8Array[] {
  return Array.from({ length: epochs }, () => {
    clock.nowMs += epochMaxMs;
    return sealed();
  });
}

const fieldOf = (datagram: Uint8Array) => datagram.subarray(6, 14).toHex();

describe("a sealed datagram", () => {
  test("is AES-256-GCM as anybody would compute it from the drawing", () => {
    const datagram = sealed();
    expect(datagram.subarray(0, 6).toHex()).toBe("7a9febb60c6e");
    const key = new KeyRatchet(here(0).send).next((bytes) => bytes.slice());
    const cipher = createDecipheriv("aes-256-gcm", key, datagram.subarray(2, 14));
    cipher.setAuthTag(datagram.subarray(14, 30));
    expect(new Uint8Array(cipher.update(datagram.subarray(30)))).toEqual(text);
    cipher.final();
  });

  test("counts up under its key, whatever its DF", () => {
    expect([sealed(), sealed(), sealed()].map(fieldOf)).toEqual([
      "0000000000000000",
      "0000000000000001",
      "0000000000000002",
    ]);
  });

  test("is opened once, at any place of a buffer", () => {
    const datagram = sealed();
    const buffer = new Uint8Array(100).fill(7);
    buffer.set(datagram, 13);
    expect(opener.open(buffer, 13, datagram.length)).toBeUndefined();
    expect(buffer.subarray(43, 48)).toEqual(text);
    expect(opened(datagram)).toBe("replayed");
  });

  test("is opened in any order, each once", () => {
    const datagrams = Array.from({ length: 200 }, () => sealed());
    fc.assert(
      fc.property(fc.shuffledSubarray(datagrams, { minLength: 200 }), (shuffled) => {
        opener = new RotatingOpener({ aead: someAead, clock, secrets: there(0) });
        expect(shuffled.map(opened)).toEqual(shuffled.map(() => "ok"));
        expect(shuffled.map(opened)).toEqual(shuffled.map(() => "replayed"));
      }),
      { seed: 1, numRuns: 20 },
    );
  });

  test("is refused by who sent it, and by another connection", () => {
    const datagram = sealed();
    const reflected = new RotatingOpener({ aead: someAead, clock, secrets: here(0) });
    expect(reflected.open(datagram.slice(), 0, datagram.length)).toBe("notAuthentic");
    const secrets = generationSecrets(
      { sessionKey: new Uint8Array(32), local: two, remote: one },
      0,
    );
    const other = new RotatingOpener({ aead: someAead, clock, secrets });
    expect(other.open(datagram.slice(), 0, datagram.length)).toBe("notAuthentic");
  });
});

describe("keys", () => {
  test("change with time, and no datagram is lost by it", () => {
    const datagrams = Array.from({ length: 1000 }, () => {
      clock.nowMs += 1000;
      const datagram = sealed();
      expect(opened(datagram)).toBe("ok");
      return datagram;
    });
    const epochs = new Set(datagrams.map((datagram) => datagram.subarray(6, 10).toHex()));
    expect([...epochs]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8].map((epoch) => `0000000${epoch}`));
  });

  test("change after so many octets", () => {
    const size = 60_000;
    const each = Math.floor(epochMaxOctets / size);
    const cheap: Aead = {
      implementation: "none",
      useKey: () => ({ seal() {}, open: () => true, erase() {} }),
    };
    const many = new RotatingSealer({ aead: cheap, clock, secrets: here(0) });
    const datagram = new Uint8Array(size);
    for (let count = 0; count < each; count++) many.seal(datagram, size);
    expect(fieldOf(datagram).slice(0, 8)).toBe("00000000");
    many.seal(datagram, size);
    expect(fieldOf(datagram)).toBe("0000000100000000");
    expect(each).toBeLessThan(epochMaxDatagrams);
  });

  test("change long before their numbers would begin again", () => {
    expect(epochMaxDatagrams).toBeLessThanOrEqual(2 ** 32);
    // The smallest datagrams come to the bound of datagrams before that of octets.
    expect(epochMaxDatagrams * encryptedHeadSize).toBeLessThan(epochMaxOctets);
  });

  test("of the last epoch are good for late datagrams, for a while", () => {
    const late = [sealed(), sealed(), sealed()];
    const [next] = oneInEach(1);
    expect(opened(next!)).toBe("ok");
    expect(opened(late[0]!)).toBe("ok");
    expect(opened(late[0]!)).toBe("replayed");
    clock.nowMs += formerEpochMs - 1;
    expect(opened(late[1]!)).toBe("ok");
    clock.nowMs += 1;
    expect(opened(late[2]!)).toBe("unknownEpoch");
  });

  test("of epochs that nobody heard are caught up with", () => {
    const first = sealed();
    const epochs = oneInEach(unheardEpochsMax + 1);
    expect(opened(epochs[unheardEpochsMax]!)).toBe("unknownEpoch");
    expect(opened(epochs[unheardEpochsMax - 1]!)).toBe("ok");
    expect(opened(epochs[unheardEpochsMax]!)).toBe("ok");
    expect(opened(epochs[unheardEpochsMax - 1]!)).toBe("replayed");
    // Of those before, nothing is left.
    for (const old of [first, epochs[0]!]) expect(opened(old)).toBe("unknownEpoch");
  });

  test("of the epoch before one that came first are good for late datagrams too", () => {
    const [, , third, fourth] = oneInEach(4);
    expect(opened(fourth!)).toBe("ok");
    expect(opened(third!)).toBe("ok");
  });

  test("are given back: few are in use however long a link lives, none when it is closed", () => {
    for (const datagram of oneInEach(100)) expect(opened(datagram)).toBe("ok");
    expect(keysInUse).toBeLessThanOrEqual(3);
    opener.open(forged(keyId(0, 110), 0), 0, 40);
    expect(keysInUse).toBeLessThanOrEqual(3 + unheardEpochsMax);
    sealer.close();
    opener.close();
    expect(keysInUse).toBe(0);
  });
});

function forged(id: number, number: number): Uint8Array {
  const datagram = new Uint8Array(40).fill(0xab);
  writePeerName(datagram, 0, one);
  writeEpochField(datagram, 6, id, number);
  return datagram;
}

describe("a forger", () => {
  test("cannot move epochs or windows, whichever epoch the datagrams claim", () => {
    const datagrams = [sealed(), ...oneInEach(3)];
    for (const epoch of [0, 1, 2, unheardEpochsMax]) {
      expect(opened(forged(keyId(0, epoch), 2 ** 32 - 1))).toBe("notAuthentic");
    }
    const beyond = [keyId(0, unheardEpochsMax + 1), keyId(1, 0), keyId(generationMax, 2 ** 24 - 1)];
    for (const id of beyond) expect(opened(forged(id, 0))).toBe("unknownEpoch");
    expect(datagrams.map(opened)).toEqual(["ok", "ok", "ok", "ok"]);
  });

  test("cannot replay a datagram under another epoch or number", () => {
    const datagram = sealed();
    const copies = [keyId(0, 0), keyId(0, 1)].map((id) => {
      const copy = datagram.slice();
      writeEpochField(copy, 6, id, 7);
      return copy;
    });
    expect(copies.map(opened)).toEqual(["notAuthentic", "notAuthentic"]);
    expect(opened(datagram)).toBe("ok");
  });

  test("gets nothing opened of which one bit was changed, besides the two octets of the name that choose the link", () => {
    const datagram = sealed();
    for (let bit = 16; bit < datagram.length * 8; bit++) {
      const damaged = datagram.slice();
      damaged[bit >> 3]! ^= 0x80 >> (bit & 7);
      expect(["notAuthentic", "unknownEpoch"]).toContain(
        opener.open(damaged, 0, damaged.length) ?? "ok",
      );
    }
    for (let length = 0; length < datagram.length; length++) {
      const fault = opener.open(datagram.slice(0, length), 0, length);
      expect(fault).toBe(length < encryptedHeadSize ? "tooShort" : "notAuthentic");
    }
    expect(opened(datagram)).toBe("ok");
  });
});

describe("a generation", () => {
  test("that both ends begin loses nothing that was on the way", () => {
    const late = sealed();
    sealer.renew(here(1));
    const first = sealed();
    expect(fieldOf(first)).toBe("0100000000000000");
    expect(opened(first)).toBe("unknownEpoch");
    opener.renew(there(1));
    expect(opened(first)).toBe("ok");
    expect(opened(late)).toBe("ok");
    expect([first, late].map(opened)).toEqual(["replayed", "replayed"]);
  });

  test("shares no key with another, whatever their epochs", () => {
    const fields = new Set<string>();
    for (const generation of [1, 2, generationMax]) {
      sealer.renew(here(generation));
      opener.renew(there(generation));
      for (const datagram of [sealed(), ...oneInEach(2)]) {
        fields.add(fieldOf(datagram));
        expect(opened(datagram)).toBe("ok");
      }
    }
    expect(fields.size).toBe(9);
  });

  test("that a new engine begins takes nothing that the one before may have taken", () => {
    const taken = [sealed(), ...oneInEach(3)];
    expect(taken.map(opened)).toEqual(["ok", "ok", "ok", "ok"]);
    opener = new RotatingOpener({ aead: countingAead, clock, secrets: there(1) });
    expect(taken.map(opened)).toEqual(taken.map(() => "unknownEpoch"));
    sealer.renew(here(1));
    expect(opened(sealed())).toBe("ok");
  });
});

test("a closed sealer seals no more", () => {
  sealer.close();
  expect(() => sealed()).toThrow("gives no keys");
});
