import { beforeEach, describe, expect, test } from "bun:test";
import { toHex } from "../../../lib/base/bytes.ts";
import { WeaveError } from "../../../lib/base/errors.ts";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import type { PeerName } from "../../../lib/base/peer-name.ts";
import type { EngineLink } from "../../../lib/overlay/engine.ts";
import {
  decodeInvitation,
  deriveEspKey,
  encodeInvitation,
} from "../../../lib/overlay/fastdp/esp-keys.ts";
import type { KernelEsp } from "../../../lib/overlay/fastdp/esp-session.ts";
import { fullHeartbeatLength, writeHeartbeat } from "../../../lib/overlay/fastdp/heartbeat.ts";
import { fastdpTag } from "../../../lib/overlay/fastdp/link.ts";
import { FastdpOverlay } from "../../../lib/overlay/fastdp/overlay.ts";
import type { DatapathEvents, KernelDatapath } from "../../../lib/overlay/fastdp/ports.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import { SimWorld } from "../../sim/world.ts";
import { MemoryKernel, VxlanWire } from "./memory-kernel.ts";

const [local, remote] = [1 as PeerName, 2 as PeerName];
const [localIp, remoteIp] = ["10.0.0.1", "10.0.0.2"].map(parseIpv4) as [number, number];
const sessionKey = new Uint8Array(32).fill(7);
const uid = 99n;
const inboundSpi = 0xc0ffee01;
const peersInvitation = { nonce: new Uint8Array(32).fill(5), spi: 0xdecafb02 };

/** One connection whose frames are to be encrypted, and everything that it does, in order. */
class EncryptedConnection {
  readonly clock = new VirtualClock();
  readonly steps: string[] = [];
  readonly sent: { tag: number; body: Uint8Array }[] = [];
  readonly keys: string[] = [];
  failure: WeaveError | undefined;
  refuses = false;
  events!: DatapathEvents;
  link!: EngineLink;

  constructor() {
    const world = new SimWorld(this.clock, 1);
    const overlay = new FastdpOverlay({
      world,
      local,
      datapath: this.#datapath(),
      controlPort: 6783,
      forwards() {},
      encryption: { kernel: this.#esp(), random: world.random },
    });
    this.link = overlay.prepare(
      {
        local,
        remote,
        connectionUid: uid,
        outbound: true,
        localAddress: { host: "10.0.0.1", port: 40_000 },
        remoteAddress: { host: "10.0.0.2", port: 6783 },
        sessionKey,
        passwordSet: true,
        remoteFeatures: new Map([["ShortID", "200"]]),
        extensions: new Map(),
      },
      {
        send: (tag, body) => void this.sent.push({ tag, body }),
        established: () => void this.steps.push("established"),
        health() {},
        peerTakes() {},
        pathCarries() {},
        mtuFound() {},
        failed: (error) => {
          this.failure = error;
        },
      },
    );
  }

  #datapath(): KernelDatapath {
    const inMemory = new MemoryKernel(new VxlanWire(this.clock), localIp).open();
    return {
      ...inMemory,
      connect: (events) => {
        this.events = events;
      },
      setNeighbour: ({ shortId }) => void this.steps.push(`neighbour ${shortId}`),
      removeNeighbour: (shortId) => void this.steps.push(`no neighbour ${shortId}`),
      sendHeartbeat: (shortId) => void this.steps.push(`heartbeat ${shortId}`),
    };
  }

  #esp(): KernelEsp {
    return {
      open: ({ port }, key) => {
        if (this.refuses) throw new WeaveError("IPSEC_FAILED", "no such cipher");
        this.steps.push(`closed to clear packets on port ${port}`);
        this.keys.push(toHex(key));
        return inboundSpi;
      },
      seal: (_path, spi, key) => {
        this.steps.push(`sealed for ${spi.toString(16)}`);
        this.keys.push(toHex(key));
      },
      close: (_path, inbound, outbound) =>
        void this.steps.push(`forgot ${inbound.toString(16)} ${outbound?.toString(16)}`),
    };
  }
}

let connection: EncryptedConnection;

beforeEach(() => {
  connection = new EncryptedConnection();
});

describe("a connection whose frames are to be encrypted", () => {
  test("closes the path to clear packets before anything else, and speaks when it is sealed", () => {
    const { link, clock, steps, sent } = connection;
    link.confirm();
    clock.run(5000);
    expect(steps).toEqual(["closed to clear packets on port 6784", "neighbour 200"]);
    const [first] = sent;
    expect(first!.tag).toBe(fastdpTag.initialiseSa);
    const invitation = decodeInvitation(first!.body)!;
    expect(invitation.spi).toBe(inboundSpi);
    link.control(fastdpTag.initialiseSa, encodeInvitation(peersInvitation));
    expect(steps.slice(2)).toEqual(["sealed for decafb02", "heartbeat 200"]);
    expect(connection.keys).toEqual([
      toHex(deriveEspKey(sessionKey, invitation.nonce, local)),
      toHex(deriveEspKey(sessionKey, peersInvitation.nonce, remote)),
    ]);
    expect(link.attributes()).toMatchObject({ encrypted: true });
  });

  test("ignores a second invitation, one that comes early, and what is none", () => {
    const { link, steps } = connection;
    link.control(fastdpTag.initialiseSa, encodeInvitation(peersInvitation));
    expect(steps).toEqual([]);
    link.confirm();
    for (const length of [0, 36, 63, 65]) {
      link.control(fastdpTag.initialiseSa, new Uint8Array(length).fill(1));
    }
    expect(steps.length).toBe(2);
    link.control(fastdpTag.initialiseSa, encodeInvitation(peersInvitation));
    link.control(fastdpTag.initialiseSa, encodeInvitation({ ...peersInvitation, spi: 0x5555 }));
    expect(steps.filter((step) => step.startsWith("sealed"))).toEqual(["sealed for decafb02"]);
  });

  test("is no neighbour any more before the path is open to clear packets again", () => {
    const { link, steps } = connection;
    link.confirm();
    link.control(fastdpTag.initialiseSa, encodeInvitation(peersInvitation));
    steps.length = 0;
    link.stop();
    expect(steps).toEqual(["no neighbour 200", "forgot c0ffee01 decafb02"]);
    link.stop();
    expect(steps.length).toBe(2);
  });

  test("believes no heartbeat from another address: it came in clear", () => {
    const { link, events, sent, steps } = connection;
    link.confirm();
    link.control(fastdpTag.initialiseSa, encodeInvitation(peersInvitation));
    const frame = writeHeartbeat(uid, fullHeartbeatLength(1376));
    const heard = { source: 200, destination: 101, port: 6784, frame, length: frame.length };
    events.heartbeat({ ...heard, remoteIp: parseIpv4("10.0.0.66") });
    expect(sent.filter(({ tag }) => tag === fastdpTag.acknowledged)).toEqual([]);
    expect(steps.filter((step) => step === "neighbour 200").length).toBe(1);
    events.heartbeat({ ...heard, remoteIp });
    expect(sent.filter(({ tag }) => tag === fastdpTag.acknowledged).length).toBe(1);
  });

  test("fails where the kernel refuses, and another overlay takes its frames", () => {
    connection.refuses = true;
    connection.link.confirm();
    expect(connection.failure).toHaveProperty("code", "IPSEC_FAILED");
    expect(connection.steps).toEqual([]);
    expect(connection.sent).toEqual([]);
  });
});
