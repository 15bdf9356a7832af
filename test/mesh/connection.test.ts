import { describe, expect, test } from "bun:test";
import { concatBytes, emptyBytes, fromHex, toHex, utf8 } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { seededRandom } from "../../lib/base/random.ts";
import {
  Connection,
  type ConnectionConfig,
  type ConnectionEvents,
  type DeliveredMessage,
  flushDeadlineMs,
  heldMaxBytes,
  sendBacklogMaxBytes,
} from "../../lib/mesh/connection.ts";
import { ownExtensions } from "../../lib/mesh/extensions.ts";
import { encodeFeatures } from "../../lib/mesh/features.ts";
import { frameMaxBytes, LengthFraming } from "../../lib/mesh/framing.ts";
import { decodeMessage, encodeMessage } from "../../lib/mesh/protocol-message.ts";
import { ReceiveBuffer } from "../../lib/mesh/receive-buffer.ts";
import { remoteSilentCode, silenceMaxMs } from "../../lib/mesh/transport.ts";
import { fuzz } from "../fuzz/mutate.ts";
import { MemoryNetwork } from "../sim/memory-network.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { SimWorld } from "../sim/world.ts";
import differentPasswords from "../vectors/live/refused-different-passwords.json";
import oneSide from "../vectors/live/refused-password-one-side.json";
import otherSide from "../vectors/live/refused-password-other-side.json";
import sameName from "../vectors/live/refused-same-name.json";
import gossip from "../vectors/mesh/gossip-messages.json";
import { ScriptedStream } from "./scripted-stream.ts";

function configOf(name: number, changes: Partial<ConnectionConfig> = {}): ConnectionConfig {
  return {
    self: name as PeerName,
    nickname: `host${name}`,
    uid: 1000n + BigInt(name),
    minVersion: 1,
    password: undefined,
    trusts: () => false,
    shortId: name,
    overlayFeatures: new Map([["Overlays", "sleeve"]]),
    ...changes,
  };
}

/** Keeps what a connection tells its owner; accepts at once unless told otherwise. */
class Owner implements ConnectionEvents {
  readonly messages: DeliveredMessage[] = [];
  readonly errors: WeaveError[] = [];
  introductions = 0;
  drains = 0;
  readonly #accepts: boolean;

  constructor(accepts = true) {
    this.#accepts = accepts;
  }

  introduced(connection: Connection): void {
    this.introductions++;
    if (this.#accepts) connection.accept();
  }

  message(_: Connection, message: DeliveredMessage): void {
    this.messages.push(message);
  }

  drained(): void {
    this.drains++;
  }

  closed(_: Connection, error: WeaveError): void {
    this.errors.push(error);
  }
}

interface End {
  readonly world: SimWorld;
  readonly owner: Owner;
  readonly connection: Connection;
}

/** Two connections that face each other over a simulated network, before anything was sent. */
function pair(dialler: ConnectionConfig, acceptor: ConnectionConfig) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, 1);
  const [a, b] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
  const ends: { dialler?: End; acceptor?: End } = {};
  b.listen(6783, (stream) => {
    const world = new SimWorld(clock, 2);
    const owner = new Owner();
    const connection = new Connection(world, stream, false, acceptor, owner);
    ends.acceptor = { world, owner, connection };
    connection.start();
  });
  a.transport.dial(
    { host: "10.0.0.2", port: 6783 },
    {
      opened(stream) {
        const world = new SimWorld(clock, 1);
        const owner = new Owner();
        const connection = new Connection(world, stream, true, dialler, owner);
        ends.dialler = { world, owner, connection };
        connection.start();
      },
      failed(error) {
        throw error;
      },
    },
  );
  clock.run(500);
  return { clock, network, dialler: ends.dialler!, acceptor: ends.acceptor! };
}

/** One connection whose other end is the test. */
function lone(changes: Partial<ConnectionConfig> = {}, options: { accepts?: boolean } = {}) {
  const clock = new VirtualClock();
  const world = new SimWorld(clock, 1);
  const stream = new ScriptedStream();
  const owner = new Owner(options.accepts);
  const connection = new Connection(world, stream, false, configOf(1, changes), owner);
  connection.start();
  return { clock, world, stream, owner, connection };
}

const remoteFeatures = new Map([
  ["PeerNameFlavour", "mac"],
  ["Name", "::2"],
  ["NickName", "host2"],
  ["UID", "1002"],
  ["ConnID", "5"],
  ["Overlays", "sleeve"],
]);

const framing = new LengthFraming(new ReceiveBuffer());

/** All that a remote without a password sends to introduce itself. */
function opening(features: ReadonlyMap<string, string> = remoteFeatures): Uint8Array {
  return concatBytes(fromHex("7765617665010200"), framing.wrap(encodeFeatures(features)));
}

function introducedLone(options: { accepts?: boolean } = {}) {
  const scene = lone({}, options);
  scene.stream.arrive(opening());
  scene.stream.take();
  return scene;
}

const heartbeat = framing.wrap(Uint8Array.of(0));
const stop = new WeaveError("TEST", "enough");

describe("two peers that meet", () => {
  const password = utf8("wEaVe-pa55");
  const cases: ReadonlyArray<
    [string, Partial<ConnectionConfig>, Partial<ConnectionConfig>, 1 | 2]
  > = [
    ["without a password", {}, {}, 2],
    ["with a password", { password }, { password }, 2],
    ["with minimum version 2", { minVersion: 2 }, {}, 2],
    ["with one that speaks version 1 alone", {}, { maxVersion: 1 }, 1],
    ["in version 1 with a password", { password, maxVersion: 1 }, { password }, 1],
  ];
  for (const [name, ours, theirs, version] of cases) {
    test(`${name} agree on everything`, () => {
      const { dialler, acceptor } = pair(configOf(1, ours), configOf(2, theirs));
      expect(dialler.connection.version).toBe(version);
      expect(acceptor.connection.version).toBe(version);
      expect(dialler.connection.uid).toBe(acceptor.connection.uid);
      expect(dialler.connection.sessionKey).toEqual(acceptor.connection.sessionKey!);
      expect(dialler.connection.encrypted).toBe(ours.password !== undefined);
      expect(dialler.connection.overlaysExchanged).toBe(version === 2);
      expect(dialler.connection.remote).toMatchObject({ name: 2, nickname: "host2", uid: 1002n });
      expect(acceptor.connection.remote.shortId).toBe(version === 2 ? 1 : undefined);
      expect(acceptor.world.lines).toContain(
        `info ->[10.0.0.1:40000|00:00:00:00:00:01(host1)]: connection ready; using protocol version ${version}`,
      );
    });

    test(`${name} exchange messages in both directions`, () => {
      const { clock, dialler, acceptor } = pair(configOf(1, ours), configOf(2, theirs));
      const sent = gossip.messages.map((vector) => decodeMessage(fromHex(vector.hex)));
      for (const message of sent) {
        if (message.kind === "unknown") throw new Error("unknown message");
        expect(dialler.connection.send(message)).toBe(true);
        expect(acceptor.connection.send(message)).toBe(true);
      }
      clock.run(10);
      expect(dialler.owner.messages).toEqual(acceptor.owner.messages);
      expect<unknown[]>(dialler.owner.messages).toEqual(sent);
    });
  }
});

describe("the overlay is clear exactly where both sides trust each other", () => {
  for (const we of [true, false]) {
    for (const they of [true, false]) {
      test(`we ${we ? "trust" : "do not trust"}, they ${they ? "trust" : "do not trust"}`, () => {
        const password = utf8("secret");
        const { dialler, acceptor } = pair(
          configOf(1, { password, trusts: (ip) => we && ip === "10.0.0.2" }),
          configOf(2, { password, trusts: (ip) => they && ip === "10.0.0.1" }),
        );
        for (const { connection } of [dialler, acceptor]) {
          expect(connection.sessionKey).toHaveLength(32);
          expect(connection.encrypted).toBe(!(we && they));
          expect(connection.overlayKey).toEqual(we && they ? undefined : connection.sessionKey);
        }
      });
    }
  }

  test("in version 1 nobody says that it trusts", () => {
    const config = { password: utf8("secret"), trusts: () => true };
    const { dialler } = pair(configOf(1, config), configOf(2, { ...config, maxVersion: 1 }));
    expect(dialler.connection.encrypted).toBe(true);
  });
});

describe("time", () => {
  test("heartbeats keep an idle connection alive, one every 30 s", () => {
    const { clock, dialler, acceptor } = pair(configOf(1), configOf(2));
    clock.run(600_000);
    expect([...dialler.owner.errors, ...acceptor.owner.errors]).toEqual([]);
    const { clock: time, stream } = introducedLone();
    const counts = [29_000, 2_000, 28_000, 2_000].map((duration) => {
      time.run(duration);
      stream.arrive(heartbeat);
      return stream.take().length / heartbeat.length;
    });
    expect(counts).toEqual([0, 1, 0, 1]);
  });

  test("no heartbeat is sent before the connection was accepted", () => {
    const { clock, stream } = introducedLone({ accepts: false });
    clock.run(59_000);
    expect(stream.take()).toEqual(emptyBytes);
  });

  test("a remote that falls silent is dropped 60 s after its last message", () => {
    const { clock, stream, owner } = introducedLone();
    clock.run(45_000);
    stream.arrive(heartbeat);
    clock.run(59_999);
    expect(owner.errors).toEqual([]);
    clock.run(1);
    expect(owner.errors.map((error) => error.code)).toEqual(["RECEIVE_DEADLINE"]);
  });

  test("octets that make up no message are no life sign", () => {
    const { clock, stream, owner } = introducedLone();
    stream.arrive(fromHex("00001000"));
    for (let octets = 0; octets < 59; octets++) {
      clock.run(1000);
      stream.arrive(Uint8Array.of(7));
    }
    clock.run(1000);
    expect(owner.errors.map((error) => error.code)).toEqual(["RECEIVE_DEADLINE"]);
  });

  test("a client that says nothing is dropped after 10 s", () => {
    const { clock, world, owner } = lone();
    clock.run(9_999);
    expect(owner.errors).toEqual([]);
    clock.run(1);
    expect(owner.errors[0]!.message).toStartWith("failed to receive remote protocol header: ");
    expect(world.timers).toBe(0);
  });

  test("a client that drips octets has 10 s for the whole introduction", () => {
    const { clock, stream, owner } = lone();
    for (const octet of opening().subarray(0, 19)) {
      stream.arrive(Uint8Array.of(octet));
      clock.run(500);
    }
    expect(owner.errors).toEqual([]);
    clock.run(500);
    expect(owner.errors.map((error) => error.code)).toEqual(["INTRODUCTION_INTERRUPTED"]);
  });

  test("a remote that takes nothing for 60 s is dropped, one that takes a little is not", () => {
    const { clock, stream, owner, connection } = introducedLone();
    stream.stalled = true;
    connection.send({ kind: "heartbeat" });
    const beat = () => {
      clock.run(20_000);
      stream.arrive(heartbeat);
    };
    for (let i = 0; i < 9; i++) {
      beat();
      stream.drain(1);
    }
    expect(owner.errors).toEqual([]);
    for (let i = 0; i < 6; i++) beat();
    expect(owner.errors.map((error) => error.code)).toEqual(["SEND_DEADLINE"]);
  });

  test("a remote machine that falls silent is noticed long before that", () => {
    const { clock, network, dialler, acceptor } = pair(configOf(1), configOf(2));
    clock.run(10_000);
    network.cut("10.0.0.1", "10.0.0.2");
    clock.run(silenceMaxMs - 1);
    expect([...dialler.owner.errors, ...acceptor.owner.errors]).toEqual([]);
    clock.run(1);
    for (const { owner } of [dialler, acceptor]) {
      expect(owner.errors.map((error) => error.code)).toEqual([remoteSilentCode]);
      expect(owner.errors[0]!.remedy).toContain("reachable");
    }
  });
});

describe("digests", () => {
  const unixMs = 1_700_000_000_000;
  const digest = { kind: "digest", channel: "words", payload: utf8("all"), unixMs } as const;
  const inquiry = { kind: "inquiry", channel: "words", payload: utf8("none") } as const;

  test("pass between peers that both compare states", () => {
    const { clock, dialler, acceptor } = pair(
      configOf(1, { extensions: ownExtensions }),
      configOf(2, { extensions: ownExtensions }),
    );
    expect(dialler.connection.send(digest)).toBe(true);
    expect(acceptor.connection.send(inquiry)).toBe(true);
    clock.run(10);
    expect(acceptor.owner.messages).toEqual([digest]);
    expect(dialler.owner.messages).toEqual([inquiry]);
  });

  for (const [what, ours, theirs] of [
    ["that does not offer them", { extensions: ownExtensions }, {}],
    ["that was not offered them", {}, { extensions: ownExtensions }],
    [
      "in version 1",
      { extensions: ownExtensions },
      { extensions: ownExtensions, maxVersion: 1 as const },
    ],
  ] as const) {
    test(`are never sent to a peer ${what}`, () => {
      const { dialler } = pair(configOf(1, ours), configOf(2, theirs));
      expect(dialler.connection.extensions.size).toBe(0);
      expect(() => dialler.connection.send(digest)).toThrow(
        "digests is for those who understand it",
      );
    });
  }

  test("nobody asked for are ignored like any unknown message, damaged or not", () => {
    const { stream, owner, world } = introducedLone();
    const damaged = fromHex("40ffff");
    stream.arrive(concatBytes(framing.wrap(encodeMessage(digest)), framing.wrap(damaged)));
    expect(owner.messages).toEqual([]);
    expect(owner.errors).toEqual([]);
    expect(world.lines.filter((line) => line.includes("unknown tag 64"))).toHaveLength(1);
  });
});

describe("messages", () => {
  const first = encodeMessage({ kind: "control", tag: 7, body: fromHex("0001") });
  const second = fromHex(gossip.messages[0]!.hex);

  test("that come with the features wait until the connection is accepted", () => {
    const { stream, owner, connection } = lone({}, { accepts: false });
    stream.arrive(concatBytes(opening(), framing.wrap(first), heartbeat, framing.wrap(second)));
    expect(owner.introductions).toBe(1);
    expect(owner.messages).toEqual([]);
    connection.accept();
    expect(owner.messages.map((message) => message.kind)).toEqual(["control", "gossip"]);
  });

  test("that wait are bounded", () => {
    const { stream, owner } = introducedLone({ accepts: false });
    const chunk = framing.wrap(new Uint8Array(65_532));
    for (let held = 0; held + chunk.length <= heldMaxBytes; held += chunk.length) {
      stream.arrive(chunk);
    }
    expect(owner.errors).toEqual([]);
    stream.arrive(chunk);
    expect(owner.errors.map((error) => error.code)).toEqual(["HELD_LIMIT"]);
  });

  test("of no octets and with unknown tags are ignored", () => {
    const { stream, owner, world } = introducedLone();
    const unknown = framing.wrap(fromHex("09aabb"));
    stream.arrive(concatBytes(framing.wrap(emptyBytes), unknown, unknown, framing.wrap(first)));
    expect(owner.messages).toHaveLength(1);
    expect(owner.errors).toEqual([]);
    expect(world.lines.filter((line) => line.includes("unknown tag 9"))).toHaveLength(1);
    expect(world.lines.filter((line) => line.includes("empty message"))).toHaveLength(1);
  });

  test("for the overlay arrive as they are, however short or odd", () => {
    const { stream, owner } = introducedLone();
    const bodies = ["01", "02", "03", "0305", "07", "0700", "07ff", "07ff03", "070003"];
    for (const hex of bodies) stream.arrive(framing.wrap(fromHex(hex)));
    expect(owner.errors).toEqual([]);
    const got = owner.messages.map((message) =>
      message.kind === "control" ? toHex(Uint8Array.of(message.tag, ...message.body)) : "",
    );
    expect(got).toEqual(bodies);
  });

  test("with a damaged gossip header end the connection", () => {
    const { stream, owner } = introducedLone();
    stream.arrive(framing.wrap(fromHex("040b0c00087466")));
    expect(owner.errors.map((error) => error.code)).toEqual(["MESSAGE_FORMAT"]);
  });

  test("that are unicasts nobody can read are passed over, and said once", () => {
    const { stream, owner, world } = introducedLone();
    const damaged = framing.wrap(fromHex("050b0c0008746f706f6c6f6779"));
    stream.arrive(damaged);
    stream.arrive(damaged);
    expect(owner.errors).toEqual([]);
    expect(world.lines.filter((line) => line.includes("ignoring damaged unicasts"))).toHaveLength(
      1,
    );
  });

  test("of 10 MiB are accepted, one octet more ends the connection", () => {
    const { stream, owner } = introducedLone();
    const body = new Uint8Array(frameMaxBytes);
    body[0] = 7;
    const frame = framing.wrap(body);
    for (let at = 0; at < frame.length; at += 65_536)
      stream.arrive(frame.subarray(at, at + 65_536));
    expect(owner.messages).toHaveLength(1);
    stream.arrive(fromHex("00a00001"));
    expect(owner.errors.map((error) => error.message)).toEqual([
      "incoming message exceeds maximum size: 10485761 > 10485760",
    ]);
  });

  test("that fit no frame are not sent, and the connection stays", () => {
    const { stream, owner, connection, world } = introducedLone();
    const body = new Uint8Array(frameMaxBytes);
    expect(connection.send({ kind: "control", tag: 7, body })).toBe(false);
    expect(stream.take()).toEqual(emptyBytes);
    expect(owner.errors).toEqual([]);
    expect(world.lines.at(-1)).toContain("not sent: a message of 10485761 octets");
    expect(connection.send({ kind: "control", tag: 7, body: body.subarray(1) })).toBe(true);
  });

  test("are delivered in order also to an owner that accepts late and from within", () => {
    const { stream, owner, connection } = lone({}, { accepts: false });
    const numbered = (n: number) => framing.wrap(Uint8Array.of(7, 0, n));
    stream.arrive(concatBytes(opening(), numbered(1), numbered(2)));
    const order: number[] = [];
    owner.message = (_, message) => {
      if (message.kind !== "control") return;
      order.push(message.body[1]!);
      if (order.length === 1) stream.arrive(concatBytes(numbered(3), numbered(4)));
    };
    connection.accept();
    expect(order).toEqual([1, 2, 3, 4]);
  });
});

describe("forms that end the process of an original are never sent", () => {
  test("bare overlay messages after overlays were exchanged, and short indexed ones", () => {
    const { connection, stream } = introducedLone();
    for (const tag of [1, 2, 3] as const) {
      expect(() => connection.send({ kind: "control", tag, body: new Uint8Array(2) })).toThrow();
    }
    for (const length of [0, 1]) {
      expect(() =>
        connection.send({ kind: "control", tag: 7, body: new Uint8Array(length) }),
      ).toThrow();
    }
    expect(stream.take()).toEqual(emptyBytes);
  });

  test("indexed overlay messages where none were exchanged, and a path MTU without octets", () => {
    const { connection, stream } = lone();
    const withoutOverlays = new Map(remoteFeatures);
    withoutOverlays.delete("Overlays");
    stream.arrive(opening(withoutOverlays));
    stream.take();
    const send = (tag: 1 | 3 | 7, length: number) =>
      connection.send({ kind: "control", tag, body: new Uint8Array(length) });
    expect(() => send(7, 2)).toThrow();
    expect(() => send(3, 1)).toThrow();
    expect(send(1, 0)).toBe(true);
    expect(send(3, 2)).toBe(true);
    expect(toHex(stream.take())).toBe("000000010100000003030000");
  });
});

describe("the end of a connection", () => {
  test("is told exactly once, sends nothing more and leaves no timer", () => {
    const { connection, owner, stream, world } = introducedLone();
    connection.close(stop);
    connection.close(stop);
    stream.arrive(heartbeat);
    stream.closed();
    expect(owner.errors).toEqual([stop]);
    expect(connection.send({ kind: "heartbeat" })).toBe(false);
    expect(stream.fate).toBe("ended");
    expect(stream.take()).toEqual(emptyBytes);
    expect(world.timers).toBe(0);
    expect(world.lines.at(-1)).toBe(
      "info ->[10.0.0.2:41000|00:00:00:00:00:02(host2)]: connection shutting down due to error: enough",
    );
  });

  test("flushes what was sent, so that the remote hears it", () => {
    const { clock, dialler, acceptor } = pair(configOf(1), configOf(2));
    const payload = new Uint8Array(3_000_000).fill(1);
    const sender = 1 as PeerName;
    dialler.connection.send({ kind: "gossip", channel: "topology", sender, payload });
    dialler.connection.close(stop);
    clock.run(1000);
    expect(acceptor.owner.messages).toMatchObject([{ kind: "gossip", payload }]);
    expect(acceptor.owner.errors).toHaveLength(1);
    expect(dialler.world.timers + acceptor.world.timers).toBe(0);
  });

  test("waits a bounded time for a remote that takes nothing", () => {
    const { clock, connection, stream, world } = introducedLone();
    stream.stalled = true;
    connection.send({ kind: "heartbeat" });
    connection.close(stop);
    clock.run(flushDeadlineMs - 1);
    expect(stream.fate).toBe("ended");
    clock.run(1);
    expect(stream.fate).toBe("reset");
    stream.closed();
    expect(world.timers).toBe(0);
  });

  test("comes when more waits than memory should hold", () => {
    const { connection, owner, stream } = introducedLone();
    stream.stalled = true;
    const body = new Uint8Array(frameMaxBytes - 1);
    let sent = 0;
    while (connection.send({ kind: "control", tag: 7, body })) sent++;
    expect(sent).toBe(Math.floor(sendBacklogMaxBytes / frameMaxBytes));
    expect(owner.errors.map((error) => error.code)).toEqual(["SEND_BACKLOG"]);
    expect(stream.backlogBytes).toBeLessThanOrEqual(sendBacklogMaxBytes);
  });

  test("soon after the introduction names the usual reasons of a refusal", () => {
    const early = introducedLone();
    early.clock.run(100);
    early.stream.closed();
    expect(early.owner.errors[0]).toMatchObject({ code: "REFUSED" });
    expect(early.owner.errors[0]!.remedy).toContain("--conn-limit");
    const late = introducedLone();
    late.clock.run(10_000);
    late.stream.closed(new WeaveError("STREAM_FAILED", "read tcp: ECONNRESET"));
    expect(late.owner.errors[0]).toMatchObject({ message: "read tcp: ECONNRESET" });
  });

  test("by its owner on being introduced delivers nothing", () => {
    const { stream, owner } = lone();
    owner.introduced = (connection) => connection.close(stop);
    stream.arrive(concatBytes(opening(), framing.wrap(fromHex("070001"))));
    expect(owner.messages).toEqual([]);
    expect(owner.errors).toEqual([stop]);
  });

  test("in the middle of what arrived delivers nothing more", () => {
    const { stream, owner } = introducedLone();
    owner.message = (connection, message) => {
      owner.messages.push(message);
      connection.close(stop);
    };
    const message = framing.wrap(fromHex("070001"));
    stream.arrive(concatBytes(message, message));
    expect(owner.messages).toHaveLength(1);
  });
});

test("the owner hears when the kernel has taken everything", () => {
  const { stream, owner } = introducedLone();
  stream.drain();
  expect(owner.drains).toBe(1);
});

test("a nickname cannot write lines into the log", () => {
  const { stream, world } = lone();
  stream.arrive(opening(new Map(remoteFeatures).set("NickName", "a\nerror b\u001b[2J")));
  expect(world.lines.at(-1)).not.toMatch(/\p{Cc}/u);
});

describe("refusals", () => {
  interface Recorded {
    readonly client_to_server: ReadonlyArray<{ readonly hex: string }>;
    readonly server_to_client: ReadonlyArray<{ readonly hex: string }>;
  }
  /** Plays one side against what the other was recorded to send. */
  function against(recorded: Recorded, outbound: boolean, config: ConnectionConfig) {
    const stream = new ScriptedStream();
    const owner = new Owner();
    const world = new SimWorld(new VirtualClock(), 1);
    new Connection(world, stream, outbound, config, owner).start();
    const side = outbound ? recorded.server_to_client : recorded.client_to_server;
    for (const segment of side) stream.arrive(fromHex(segment.hex));
    return { stream, owner, world };
  }

  test("a password on the remote alone: the remote closes and we name the password", () => {
    for (const [capture, weDial] of [
      [oneSide, false],
      [otherSide, true],
    ] as const) {
      for (const recorded of capture.tcp) {
        const { stream, owner } = against(recorded, weDial, configOf(1));
        expect(owner.errors).toEqual([]);
        stream.closed(new WeaveError("STREAM_FAILED", "connection reset by peer"));
        expect(owner.errors[0]!.message).toContain("may require a password");
      }
    }
  });

  test("a password on our side alone: we close", () => {
    for (const [capture, weDial] of [
      [oneSide, true],
      [otherSide, false],
    ] as const) {
      for (const recorded of capture.tcp) {
        const config = configOf(1, { password: utf8("lab-secret-0123456789") });
        const { stream, owner } = against(recorded, weDial, config);
        expect(owner.errors.map((error) => error.message)).toEqual([
          "password specified, but peer requested an unencrypted connection",
        ]);
        expect(stream.fate).toBe("ended");
      }
    }
  });

  test("different passwords: both sides close", () => {
    for (const recorded of differentPasswords.tcp) {
      for (const outbound of [true, false]) {
        const config = configOf(1, { password: utf8("alpha-alpha") });
        const { owner, world } = against(recorded, outbound, config);
        expect(owner.errors.map((error) => error.message)).toEqual(["Unable to decrypt TCP msg"]);
        expect(world.lines[0]).toStartWith(
          "info ->[10.0.0.2:41000] connection shutting down due to error during handshake: " +
            "Unable to decrypt TCP msg (give all peers the same password",
        );
      }
    }
  });

  test("one name at both ends: both sides close", () => {
    for (const outbound of [true, false]) {
      const self = 0x029900002801 as PeerName;
      const config = configOf(1, { self, nickname: outbound ? "x2" : "x1" });
      const { owner } = against(sameName.tcp[0]!, outbound, config);
      const [own, other] = outbound ? ["x2", "x1"] : ["x1", "x2"];
      expect(owner.errors.map((error) => error.message)).toEqual([
        `local "02:99:00:00:28:01(${own})" and remote "02:99:00:00:28:01(${other})" peer names collision`,
      ]);
      expect(owner.introductions).toBe(0);
    }
  });

  test("a peer that dials itself", () => {
    const { dialler, acceptor } = pair(configOf(1), configOf(1));
    const codes = [...dialler.owner.errors, ...acceptor.owner.errors].map(({ code }) => code);
    expect(codes).toEqual(["CONNECT_SELF", "CONNECT_SELF"]);
  });

  test("a browser", () => {
    const { stream, owner, world } = lone();
    stream.arrive(utf8("GET / HTTP/1.1\r\nHost: weave\r\n\r\n"));
    expect(owner.errors.map((error) => error.message)).toEqual([
      "remote protocol header not recognised: [71 69 84 32 47]",
    ]);
    expect(world.timers).toBe(0);
  });

  test("two of ours with different passwords both name the password, and nothing stays behind", () => {
    const { clock, dialler, acceptor } = pair(
      configOf(1, { password: utf8("one") }),
      configOf(2, { password: utf8("two") }),
    );
    clock.run(10_000);
    for (const { owner, world } of [dialler, acceptor]) {
      expect(owner.errors).toHaveLength(1);
      expect(`${owner.errors[0]!.message} ${owner.errors[0]!.remedy}`).toContain("password");
      expect(world.timers).toBe(0);
    }
  });

  test("of a remote that requires a password tell both sides", () => {
    const { dialler, acceptor } = pair(configOf(1), configOf(2, { password: utf8("two") }));
    expect(dialler.owner.errors[0]!.message).toBe(
      "no password specificed, but peer requested an encrypted connection",
    );
    expect(acceptor.owner.errors[0]!.message).toBe(
      "password specified, but peer requested an unencrypted connection",
    );
  });
});

test("a damaged stream closes the connection or is understood, and is never fatal", () => {
  const messages = gossip.messages.map((vector) => framing.wrap(fromHex(vector.hex)));
  const control = ["01", "02", "03", "070001", "070003058e", "08"].map((hex) =>
    framing.wrap(fromHex(hex)),
  );
  const stream = concatBytes(...control, heartbeat, ...messages.slice(2));
  const random = seededRandom(1);
  fuzz(61, [stream, ...messages, ...control], 20_000, (mutant) => {
    const scene = introducedLone();
    const at = random.fill(new Uint8Array(1))[0]! % (mutant.length + 1);
    scene.stream.arrive(mutant.subarray(0, at));
    scene.stream.arrive(mutant.subarray(at));
    scene.stream.closed();
    expect(scene.owner.errors).toHaveLength(1);
    expect(scene.world.timers).toBe(0);
  });
});
