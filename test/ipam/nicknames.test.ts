import { expect, test } from "bun:test";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { Nicknames } from "../../lib/ipam/nicknames.ts";

const self = 1 as PeerName;

test("what all peers are called fits a message, whatever others say", () => {
  const nicknames = new Nicknames(self, "host1");
  nicknames.merge([
    [2 as PeerName, "host2"],
    [3 as PeerName, "x".repeat(1 << 20)],
  ]);
  for (let peer = 4; peer < 100_000; peer++) nicknames.merge([[peer as PeerName, "y".repeat(300)]]);
  const characters = nicknames.entries().reduce((sum, [, name]) => sum + name.length, 0);
  expect(characters).toBeLessThan(5 << 20);
  expect(nicknames.get(2 as PeerName)).toBe("host2");
  expect(nicknames.get(3 as PeerName)).toBe("x".repeat(256));
});
