import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { Epoll } from "../../ffi/descriptor.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { concatBytes } from "../../lib/base/bytes.ts";
import type { Netlink } from "../../lib/host/netlink/conversation.ts";
import { changeLink, createVeth, deleteLink, findLink } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import { openPacketSocket, PacketSocket } from "../../lib/host/packet-socket.ts";
import { setSysctl } from "../../lib/host/sysctl.ts";
import { Coalescer } from "../../lib/overlay/offload/coalescer.ts";
import { MergedRun } from "../../lib/overlay/offload/merged-run.ts";
import type { FrameOffload } from "../../lib/wire/virtio-net-header.ts";
import { noise, type Packet, piecesOf, unfinished } from "../overlay/offload/frames.ts";
import { awaitOperational, Laboratory } from "./laboratory.ts";

/** A frame of a protocol that no kernel answers, with a payload that tells it apart. */
function frame(length: number, fill: number, tag = ""): Uint8Array {
  const bytes = new Uint8Array(length).fill(fill);
  bytes.set(Uint8Array.fromHex(`0200000000020200000000010${tag === "" ? "" : tag}`.slice(0, 24)));
  bytes.set(Uint8Array.fromHex(`${tag}88b5`), 12);
  return bytes;
}

describe("a packet socket with marks", () => {
  test("sends each frame with its mark and says with which mark each came", () => {
    const laboratory = new Laboratory("marks");
    const host = laboratory.namespace("h");
    const netlink = openRoute(host);
    try {
      host.run(() => setSysctl("ipv6/conf/default/disable_ipv6", 1));
      createVeth(netlink, { name: "left", mtu: 65535 }, { name: "right", mtu: 65535 });
      const [left, right] = ["left", "right"].map((name) => {
        changeLink(netlink, findLink(netlink, { name })!.index, { up: true });
        const { index } = findLink(netlink, { name })!;
        return new PacketSocket(host.run(() => openPacketSocket(index, 1 << 20, { marks: true })));
      });
      awaitOperational(netlink, "right");
      const frames = [frame(60, 1), frame(60, 2), frame(64, 3, "81000123"), frame(60, 4)];
      const marks = [0x01002001, 0x01002001, 0x01fff000, 0];
      for (const [index, each] of frames.entries()) {
        left!.mark = marks[index]!;
        left!.inject(each, 0, each.length);
      }
      left!.flush();
      const got: [number, Uint8Array][] = [];
      const epoll = new Epoll(1);
      epoll.add(right!.descriptor);
      while (epoll.wait(got.length < frames.length ? 5000 : 0) > 0) {
        right!.receive((bytes, at, length, _offload, mark) =>
          got.push([mark, bytes.slice(at, at + length)]),
        );
      }
      epoll.close();
      expect(got).toEqual(frames.map((each, index) => [marks[index]!, each]));
      left!.close();
      right!.close();
    } finally {
      netlink.close();
      laboratory.close();
    }
  });
});

describe("the packet socket", () => {
  const laboratory = new Laboratory("packet");
  let netlink: Netlink;
  let left: PacketSocket;
  let right: PacketSocket;
  const host = laboratory.namespace("h");

  const open = (name: string) =>
    new PacketSocket(host.run(() => openPacketSocket(findLink(netlink, { name })!.index, 1 << 20)));

  beforeAll(() => {
    netlink = openRoute(host);
    host.run(() => setSysctl("ipv6/conf/default/disable_ipv6", 1));
    createVeth(netlink, { name: "left", mtu: 65535 }, { name: "right", mtu: 65535 });
    for (const name of ["left", "right"]) {
      changeLink(netlink, findLink(netlink, { name })!.index, { up: true });
    }
    for (const name of ["left", "right"]) awaitOperational(netlink, name);
    left = open("left");
    right = open("right");
  });
  afterEach(() => {
    received(left);
    received(right);
  });
  afterAll(() => {
    left.close();
    right.close();
    netlink.close();
    laboratory.close();
  });

  /** Everything that waits; gives the kernel a moment when nothing does yet. */
  function received(socket: PacketSocket, waitMs = 0): Uint8Array[] {
    const frames: Uint8Array[] = [];
    const epoll = new Epoll(1);
    epoll.add(socket.descriptor);
    while (epoll.wait(waitMs) > 0) {
      const count = socket.receive((bytes, at, length) =>
        frames.push(bytes.slice(at, at + length)),
      );
      if (count === 0) break;
    }
    epoll.close();
    return frames;
  }

  function send(...frames: Uint8Array[]): void {
    for (const each of frames) left.inject(each, 0, each.length);
    left.flush();
  }

  test("carries frames of every size from one end to the other, in order", () => {
    const frames = [60, 14, 1514, 9014, 65_549].map((length, index) => frame(length, index + 1));
    send(...frames);
    expect(received(right, 50)).toEqual(frames);
  });

  test("captures only what comes in, not what it sends itself", () => {
    send(frame(100, 1));
    expect(received(right, 50)).toHaveLength(1);
    expect(received(left)).toEqual([]);
  });

  test("puts a VLAN tag back where the kernel took it out", () => {
    const tagged = [frame(104, 3, "81000005"), frame(200, 4, "8100e00a"), frame(90, 5, "88a80007")];
    send(...tagged, frame(100, 6));
    expect(received(right, 50)).toEqual([...tagged, frame(100, 6)]);
  });

  test("takes more frames than one batch holds", () => {
    const many = Array.from({ length: 200 }, (_, index) => frame(60, index));
    send(...many);
    expect(received(right, 50)).toEqual(many);
    expect(right.statistics().received).toBeGreaterThanOrEqual(200);
  });

  describe("with super-frames", () => {
    const packet = (isTcp: boolean, isIpv6: boolean): Packet => ({
      isTcp,
      isIpv6,
      payload: noise(30_000, 5),
      flags: 0x18,
    });
    const kinds = [true, false].flatMap((isTcp) =>
      [true, false].map((isIpv6) => packet(isTcp, isIpv6)),
    );
    const taken = (): { frame: Uint8Array; offload: FrameOffload }[] => {
      const all: { frame: Uint8Array; offload: FrameOffload }[] = [];
      right.receive((bytes, at, length, offload) => {
        all.push({ frame: bytes.slice(at, at + length), offload: { ...offload } });
      });
      return all;
    };
    /** Puts what was received together into the interface as the data plane does. */
    const merge = (frames: readonly Uint8Array[]): void => {
      const memory = new PinnedMemory(new Uint8Array(concatBytes(...frames)));
      const coalescer = new Coalescer({
        alone: (_bytes, at, length) => left.injectInPlace(memory, at, length),
        merged: (run) => left.injectMerged(memory, run),
      });
      let at = 0;
      for (const { length } of frames) {
        coalescer.add(memory.bytes, at, length);
        at += length;
      }
      coalescer.flush();
      left.flush();
    };

    test("passes them whole, with what is left to do", () => {
      for (const each of kinds) {
        merge(piecesOf(each, 1386));
        const { bytes, offload } = unfinished(each, 1386);
        expect(taken()).toEqual([{ frame: bytes, offload }]);
      }
    });

    test("keeps their order among ordinary frames", () => {
      const [first, second] = [piecesOf(kinds[0]!, 1386), piecesOf(kinds[2]!, 1000)];
      merge([frame(60, 1), ...first, frame(60, 2), ...second, frame(60, 3)]);
      expect(taken().map(({ frame: { length } }) => length)).toEqual([
        60,
        unfinished(kinds[0]!, 1386).bytes.length,
        60,
        unfinished(kinds[2]!, 1000).bytes.length,
        60,
      ]);
    });

    test("takes more than one batch holds", () => {
      const many = Array.from({ length: 300 }, (_, index) =>
        piecesOf({ ...kinds[1]!, payload: noise(3000, 1), sourcePort: 1000 + index }, 1000),
      );
      merge(many.flat());
      let count = 0;
      for (let some = taken(); some.length > 0; some = taken()) count += some.length;
      expect(count).toBe(300);
    });

    test("finds a tag's place in them", () => {
      const tagged = { ...kinds[1]!, tags: "81000005" };
      const { bytes, offload } = unfinished(tagged, 1386);
      const memory = new PinnedMemory(new Uint8Array(bytes));
      const run = new MergedRun();
      run.bytes = bytes;
      run.headSize = offload.checksumFrom + 32;
      run.segmentSize = 1386;
      run.count = Math.ceil(30_000 / 1386);
      run.lastSize = 30_000 % 1386;
      for (let i = 0; i < run.count; i++) run.payloadsAt[i] = run.headSize + i * 1386;
      Object.assign(run.offload, offload);
      left.injectMerged(memory, run);
      left.flush();
      expect(taken()).toEqual([{ frame: bytes, offload }]);
    });
  });

  test("counts what it had to drop", () => {
    const large = frame(60_000, 1);
    for (let round = 0; round < 100; round++) send(large);
    const kept = received(right).length;
    const { dropped } = right.statistics();
    expect(kept).toBeGreaterThan(0);
    expect(dropped).toBeGreaterThan(0);
    expect(right.statistics().dropped).toBe(dropped);
  });

  test("goes on after its interface was down", () => {
    const { index } = findLink(netlink, { name: "right" })!;
    changeLink(netlink, index, { up: false });
    expect(received(right, 50)).toEqual([]);
    send(frame(60, 1));
    expect(received(right)).toEqual([]);
    changeLink(netlink, index, { up: true });
    for (const name of ["left", "right"]) awaitOperational(netlink, name);
    send(frame(60, 2));
    expect(received(right, 50)).toEqual([frame(60, 2)]);
  });

  test("counts frames that its interface refuses", () => {
    const before = left.injectFailures;
    send(frame(65_553, 1));
    expect(left.injectFailures).toBe(before + 1);
    expect(left.lastInjectFailure).toBe("EMSGSIZE");
    send(frame(60, 3));
    expect(received(right, 50)).toEqual([frame(60, 3)]);
  });

  test("needs an interface", () => {
    expect(() => host.run(() => openPacketSocket(4711, 1 << 16))).toThrow(
      expect.objectContaining({ code: "CAPTURE_FAILED" }),
    );
    createVeth(netlink, { name: "gone" }, { name: "gone2" });
    const socket = open("gone");
    deleteLink(netlink, findLink(netlink, { name: "gone" })!.index);
    expect(received(socket)).toEqual([]);
    socket.close();
  });
});
