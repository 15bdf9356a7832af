import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { closeDescriptor } from "../../../ffi/descriptor.ts";
import {
  AF_INET,
  connectSocket,
  openSocket,
  SOCK_DGRAM,
  sendOne,
  sockaddrIn,
} from "../../../ffi/socket.ts";
import { fromHex } from "../../../lib/base/bytes.ts";
import { errorCode, WeaveError } from "../../../lib/base/errors.ts";
import { decodeMessages } from "../../../lib/host/netlink/message.ts";
import { BlockedPackets, blockedPackets } from "../../../lib/host/policy/blocked-packets.ts";
import { LogLabels, logGroup } from "../../../lib/host/policy/log-labels.ts";
import vectors from "../../vectors/policy/nflog.json" with { type: "json" };
import { Laboratory } from "../laboratory.ts";

function knownLabels(): LogLabels {
  const labels = new LogLabels();
  for (const origin of vectors.origins) labels.labelOf("ingress", origin);
  return labels;
}

describe("what the kernel logs of drops", () => {
  test("is understood, whatever the packets", () => {
    for (const { hex, packets } of vectors.datagrams) {
      const heard = blockedPackets(decodeMessages(fromHex(hex)), knownLabels());
      expect(heard).toEqual(packets as typeof heard);
    }
  });

  test("is told without its origin when that is known no more", () => {
    const [{ hex }] = vectors.datagrams as [(typeof vectors.datagrams)[number]];
    const heard = blockedPackets(decodeMessages(fromHex(hex)), new LogLabels());
    expect(heard[0]).toMatchObject({ direction: "ingress", origin: undefined, protocol: "TCP" });
  });

  test("does no harm when it is garbage", () => {
    const labels = knownLabels();
    const datagrams = vectors.datagrams.map(({ hex }) => fromHex(hex));
    const spoilt = fc
      .tuple(fc.constantFrom(...datagrams), fc.array(fc.tuple(fc.nat(2000), fc.nat(255))))
      .map(([whole, changes]) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), spoilt), (bytes) => {
        try {
          blockedPackets(decodeMessages(bytes), labels);
        } catch (error) {
          expect(error).toBeInstanceOf(WeaveError);
        }
      }),
      { seed: 1, numRuns: 3000 },
    );
  });
});

describe("the log of drops", () => {
  const laboratory = new Laboratory("blocked");
  afterAll(() => laboratory.close());

  test("is refused by name when somebody else hears it", () => {
    const namespace = laboratory.namespace("taken");
    namespace.run(() => {
      using first = new BlockedPackets(new LogLabels());
      expect(first.read()).toEqual([]);
      let code = "";
      try {
        new BlockedPackets(new LogLabels());
      } catch (error) {
        code = errorCode(error);
        expect(error).toMatchObject({ remedy: expect.stringContaining("weave-npc") });
      }
      expect(code).toBe("POLICY_LOG");
    });
  });

  test("counts when there was more than it kept, and goes on", () => {
    const namespace = laboratory.namespace("much");
    const labels = new LogLabels();
    const label = labels.labelOf("egress", "x/deny");
    namespace.run(() => {
      using log = new BlockedPackets(labels);
      flood(label, 5000);
      const first = log.read();
      expect(log.overruns).toBe(1);
      flood(label, 1);
      const rest = [...first, ...awaited(log)];
      expect(rest.length).toBeGreaterThan(0);
      expect(rest.every(({ origin }) => origin === "x/deny")).toBe(true);
      expect(log.overruns).toBe(1);
    });
  });
});

/** Datagrams on the loopback interface that a rule tells of, without any limit. */
function flood(label: string, count: number): void {
  const rules = `
    table ip flood {
      chain in {
        type filter hook input priority 0
        udp dport 9 log prefix "${label}" group ${logGroup} queue-threshold 1 drop
      }
    }`;
  nft("-f", "-", `${rules}\n`);
  const socket = openSocket(AF_INET, SOCK_DGRAM, 0, "flood");
  connectSocket(socket, sockaddrIn(0x7f00_0001, 9), "flood");
  for (let sent = 0; sent < count; sent++) sendOne(socket, new Uint8Array(100), "flood");
  closeDescriptor(socket);
  nft("delete", "table", "ip", "flood", "");
}

/** What the kernel still collects. */
function awaited(log: BlockedPackets) {
  const deadline = performance.now() + 5000;
  for (;;) {
    const packets = log.read();
    if (packets.length > 0 || performance.now() > deadline) return packets;
  }
}

function nft(...words: readonly string[]): void {
  const stdin = Buffer.from(words.at(-1)!);
  const { exitCode, stderr } = Bun.spawnSync(["nft", ...words.slice(0, -1)], { stdin });
  expect(`${exitCode} ${stderr}`).toBe("0 ");
}
