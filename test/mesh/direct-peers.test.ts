import { describe, expect, test } from "bun:test";
import { DirectPeers, directPeersMax, parseDirectPeer } from "../../lib/mesh/direct-peers.ts";

describe("a peer as typed", () => {
  test("is an address or a name, with or without a port", () => {
    for (const [text, host, port, isName, portGiven] of [
      ["10.0.0.1", "10.0.0.1", 6783, false, false],
      ["10.0.0.1:7000", "10.0.0.1", 7000, false, true],
      ["fd00::1", "fd00::1", 6783, false, false],
      ["[FD00:0::1]:7000", "fd00::1", 7000, false, true],
      ["host-1.example", "host-1.example", 6783, true, false],
      ["host1:7000", "host1", 7000, true, true],
    ] as const) {
      expect(parseDirectPeer(text, 6783)).toEqual({ text, host, port, isName, portGiven });
    }
  });

  test("is refused with a remedy when it is neither", () => {
    for (const text of ["", "10.0.0.1:0", "10.0.0.1:65536", "a b", "host:", "[fd00::1", ":6783"]) {
      expect(() => parseDirectPeer(text, 6783)).toThrow(`invalid peer name "${text}"`);
    }
  });

  test("is one of a bounded number", () => {
    const peers = new DirectPeers();
    for (let n = 0; n < directPeersMax; n++) peers.add(parseDirectPeer(`host${n}`, 6783));
    expect(() => peers.add(parseDirectPeer("one-more", 6783))).toThrow("more than 4096");
    peers.add(parseDirectPeer("host7", 6783));
  });

  test("given by name is known by the addresses it resolved to", () => {
    const peers = new DirectPeers();
    peers.add(parseDirectPeer("host", 6783));
    peers.add(parseDirectPeer("host:7000", 6783));
    peers.resolved("host", ["10.0.0.1", "fd00::1"]);
    expect(peers.namesOf({ host: "fd00::1", port: 7000 })).toEqual(new Set(["host"]));
    expect(peers.namesOf({ host: "10.0.0.1", port: 6784 })).toEqual(new Set());
    peers.delete("host");
    expect(peers.namesOf({ host: "10.0.0.1", port: 7000 })).toEqual(new Set(["host"]));
    peers.delete("host:7000");
    peers.add(parseDirectPeer("host", 6783));
    expect(peers.endpoints(parseDirectPeer("host", 6783))).toEqual([]);
  });
});
