import { beforeEach, describe, expect, test } from "bun:test";
import type { PeerName } from "../../../lib/base/peer-name.ts";
import type { EngineLink, EngineLinkEvents } from "../../../lib/overlay/engine.ts";
import { SleeveOverlay } from "../../../lib/overlay/sleeve/overlay.ts";
import type { SleeveEvents } from "../../../lib/overlay/sleeve/ports.ts";

const key = new Uint8Array(32).fill(1);
let commands: unknown[][];
let heard: string[];
let events: SleeveEvents;
let overlay: SleeveOverlay;

beforeEach(() => {
  commands = [];
  heard = [];
  overlay = new SleeveOverlay((given) => {
    events = given;
    return {
      prepare: (...all) => void commands.push(["prepare", ...all]),
      confirm: (...all) => void commands.push(["confirm", ...all]),
      control: (...all) => void commands.push(["control", ...all]),
      stop: (...all) => void commands.push(["stop", ...all]),
    };
  });
});

function prepare(host = "10.9.0.2", sessionKey: Uint8Array | undefined = undefined): EngineLink {
  const linkEvents: EngineLinkEvents = {
    send: (tag, body) => heard.push(`send ${tag} ${body.toHex()}`),
    established: () => heard.push("established"),
    health: (healthy) => heard.push(`health ${healthy}`),
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
  };
  return overlay.prepare(parameters, linkEvents);
}

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
    expect(prepare("10.9.0.3", key).attributes()).toEqual({ encrypted: true, mtu: 65_535 });
  });
});

test("an IPv6 underlay is refused", () => {
  expect(() => prepare("fe80::1")).toThrow("sleeve needs an IPv4 underlay, not fe80::1");
});
