import { beforeEach, describe, expect, test } from "bun:test";
import type { PeerName } from "../../../lib/base/peer-name.ts";
import type { EngineLink, EngineLinkEvents } from "../../../lib/overlay/engine.ts";
import { generationSecrets } from "../../../lib/overlay/sleeve/key-ratchet.ts";
import { SleeveOverlay } from "../../../lib/overlay/sleeve/overlay.ts";
import type { SleeveEvents } from "../../../lib/overlay/sleeve/ports.ts";

const key = new Uint8Array(32).fill(1);
const ciphers = { secretBox: "libsodium", aead: "libcrypto" };
const carried = { sentPackets: 0, sentBytes: 200, receivedPackets: 3, receivedBytes: 300 };
let commands: unknown[][];
let heard: string[];
let events: SleeveEvents;
let overlay: SleeveOverlay;
const bothHaveAes: [string, number][] = [["sleeve-aes-gcm", 1]];

beforeEach(() => {
  commands = [];
  heard = [];
  overlay = new SleeveOverlay((given) => {
    events = given;
    return {
      prepare: (...all) => void commands.push(["prepare", ...all]),
      confirm: (...all) => void commands.push(["confirm", ...all]),
      control: (...all) => void commands.push(["control", ...all]),
      renew: (...all) => void commands.push(["renew", ...all]),
      limit: (...all) => void commands.push(["limit", ...all]),
      narrow: (...all) => void commands.push(["narrow", ...all]),
      stop: (...all) => void commands.push(["stop", ...all]),
      traffic: (link) => ({ ...carried, sentPackets: link }),
    };
  }, ciphers);
});

function prepare(
  host = "10.9.0.2",
  sessionKey: Uint8Array | undefined = undefined,
  extensions: Iterable<[string, number]> = [],
): EngineLink {
  const linkEvents: EngineLinkEvents = {
    send: (tag, body) => heard.push(`send ${tag} ${body.toHex()}`),
    established: () => heard.push("established"),
    health: (healthy) => heard.push(`health ${healthy}`),
    peerTakes() {},
    pathCarries() {},
    mtuFound: (mtu) => heard.push(`mtu ${mtu}`),
    failed: ({ code, message }) => heard.push(`${code}: ${message}`),
  };
  const parameters = {
    local: 1 as PeerName,
    remote: 2 as PeerName,
    connectionUid: 77n,
    outbound: true,
    localAddress: { host: "10.9.0.1", port: 40_000 },
    remoteAddress: { host, port: 6783 },
    sessionKey,
    passwordSet: sessionKey !== undefined,
    remoteFeatures: new Map<string, string>(),
    extensions: new Map(extensions),
  };
  return overlay.prepare(parameters, linkEvents);
}

const connectNothing = () => ({
  prepare() {},
  confirm() {},
  control() {},
  renew() {},
  limit() {},
  narrow() {},
  traffic: () => undefined,
  stop() {},
});

describe("commands", () => {
  test("carry everything the engine needs, as plain data", () => {
    const link = prepare();
    link.confirm();
    link.control(3, Uint8Array.of(5, 0x9e));
    link.stop();
    const parameters = {
      remote: 2 as PeerName,
      connectionUid: 77n,
      outbound: true,
      localIp: 0x0a090001,
      remoteIp: 0x0a090002,
      remotePort: 6783,
      key: undefined,
    };
    expect(commands).toEqual([
      ["prepare", 1, parameters],
      ["confirm", 1],
      ["control", 1, 3, Uint8Array.of(5, 0x9e)],
      ["stop", 1],
    ]);
    expect(structuredClone(parameters)).toEqual(parameters);
  });

  test("number links apart", () => {
    for (const link of [prepare(), prepare()]) link.confirm();
    expect(commands.filter(([name]) => name === "confirm").map(([, link]) => link)).toEqual([1, 2]);
  });

  test("stop once", () => {
    const link = prepare();
    link.stop();
    link.stop();
    expect(commands).toHaveLength(2);
  });
});

describe("events", () => {
  test("reach the link they are about", () => {
    prepare();
    events.controlOut(1, 3, Uint8Array.of(1, 2));
    events.established(1);
    events.established(2);
    expect(heard).toEqual(["send 3 0102", "established"]);
  });

  test("of a stopped link reach nobody", () => {
    prepare().stop();
    events.established(1);
    events.failed(1, "SLEEVE_HEARTBEAT_TIMEOUT", "late");
    events.mtuChanged(1, 1438);
    expect(heard).toEqual([]);
  });

  test("of failure end the link, which needs no stop any more", () => {
    const link = prepare();
    events.failed(1, "SLEEVE_HEARTBEAT_TIMEOUT", "timed out waiting for UDP heartbeat");
    link.stop();
    expect(heard).toEqual(["SLEEVE_HEARTBEAT_TIMEOUT: timed out waiting for UDP heartbeat"]);
    expect(commands.map(([name]) => name)).toEqual(["prepare"]);
  });
});

describe("status", () => {
  test("shows the MTU as it is found, and encryption when there is any", () => {
    const link = prepare();
    expect(link.attributes()).toEqual({ mtu: 65_535 });
    events.mtuChanged(1, 1438);
    expect(link.attributes()).toEqual({ mtu: 1438 });
    expect(heard).toEqual(["mtu 1438"]);
    expect(prepare("10.9.0.3", key).attributes()).toEqual({
      encrypted: true,
      mtu: 65_535,
      seal: "secretbox/libsodium",
    });
    expect(prepare("10.9.0.3", key, bothHaveAes).attributes()).toEqual({
      encrypted: true,
      mtu: 65_535,
      seal: "aes-256-gcm/libcrypto",
    });
  });
});

test("links say what their engine counted of them", () => {
  prepare();
  expect(prepare().traffic?.()).toEqual({ ...carried, sentPackets: 2 });
});

describe("AES-256-GCM", () => {
  const identity = { sessionKey: key, local: 1 as PeerName, remote: 2 as PeerName };
  const [hello, , second, , fourth] = [0, 1, 2, 3, 4].map((generation) =>
    generationSecrets(identity, generation),
  );

  test("is offered where the machine has it", () => {
    expect(overlay.extensions().get("sleeve-aes-gcm")).toBe(1);
    const without = new SleeveOverlay(connectNothing, { ...ciphers, aead: undefined });
    expect(without.extensions().has("sleeve-aes-gcm")).toBe(false);
  });

  test("is used where both peers have it and there is a session key, which stays here", () => {
    prepare("10.9.0.2", key, bothHaveAes);
    prepare("10.9.0.2", key, []);
    prepare("10.9.0.2", undefined, bothHaveAes);
    expect(commands).toMatchObject([
      ["prepare", 1, { key: undefined, secrets: hello }],
      ["prepare", 2, { key }],
      ["prepare", 3, { key: undefined }],
    ]);
    for (const [, , parameters] of commands.slice(1))
      expect(parameters).not.toHaveProperty("secrets");
  });

  test("goes on with the next generation when our engine is new, and tells the peer", () => {
    prepare("10.9.0.2", key, bothHaveAes);
    events.renewed?.(1);
    expect(events.renewed?.(1)).toEqual(second!);
    expect(heard).toEqual(["send 4 01", "send 4 02"]);
    expect(commands).toHaveLength(1);
  });

  test("follows the peer to later generations, and never back", () => {
    const link = prepare("10.9.0.2", key, bothHaveAes);
    for (const body of [[4], [4], [3], [0], []]) link.control(4, Uint8Array.from(body));
    expect(commands.slice(1)).toEqual([["renew", 1, fourth]]);
    expect(events.renewed?.(1)?.generation).toBe(5);
    expect(heard).toEqual(["send 4 05"]);
    link.stop();
    link.control(4, Uint8Array.of(9));
    expect(commands.slice(2)).toEqual([["stop", 1]]);
  });

  test("meets the peer at one generation when both engines are new at once", () => {
    const link = prepare("10.9.0.2", key, bothHaveAes);
    expect(events.renewed?.(1)?.generation).toBe(1);
    link.control(4, Uint8Array.of(1));
    expect(commands).toHaveLength(1);
    link.control(4, Uint8Array.of(2));
    expect(commands[1]).toEqual(["renew", 1, second]);
  });

  test("ends with the last generation, and for links that are gone", () => {
    const link = prepare("10.9.0.2", key, bothHaveAes);
    link.control(4, Uint8Array.of(255));
    expect(events.renewed?.(1)).toBeUndefined();
    expect(events.renewed?.(7)).toBeUndefined();
    prepare("10.9.0.2", key);
    expect(events.renewed?.(2)).toBeUndefined();
  });

  test("leaves a control message of this number to the engine of a link without it", () => {
    prepare("10.9.0.2", key).control(4, Uint8Array.of(1));
    expect(commands[1]).toEqual(["control", 1, 4, Uint8Array.of(1)]);
  });
});

test("a link over IPv6 goes to the address of its connection, where both peers have it", () => {
  expect(() => prepare("fd00::2")).toThrow(
    "sleeve of this peer needs an IPv4 underlay, not fd00::2",
  );
  prepare("fd00::2", undefined, overlay.extensions());
  expect(commands[0]).toMatchObject(["prepare", 1, { remoteIp: "fd00::2", remotePort: 6783 }]);
});

test("an address that is good on one link alone is refused, with its reason", () => {
  for (const address of ["fe80::1", "febf::1", "fe80::1%eth0"]) {
    expect(() => prepare(address)).toThrow(
      `sleeve cannot send to ${address}, which is of one link`,
    );
  }
});
