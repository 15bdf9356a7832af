import { beforeEach, describe, expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { type LinkTraffic, noTraffic, type OverlayLink } from "../../lib/base/overlay.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { silentLog } from "../../lib/base/world.ts";
import { OverlayChooser } from "../../lib/overlay/chooser.ts";
import type { OverlayChange } from "../../lib/overlay/chosen-link.ts";
import type { EngineLinkEvents, OverlayEngine } from "../../lib/overlay/engine.ts";
import { noOverlay } from "../../lib/overlay/no-overlay.ts";
import vectors from "../vectors/fastdp/overlay-switch.json";

/** An engine that does what the test says and records what it is told. */
class ScriptedEngine implements OverlayEngine {
  readonly told: string[] = [];
  events: EngineLinkEvents | undefined;
  refusal: Error | undefined;
  readonly name: string;
  carried: LinkTraffic | undefined;
  countsEachFrame = false;

  constructor(name: string) {
    this.name = name;
  }

  prepare(_parameters: unknown, events: EngineLinkEvents) {
    if (this.refusal !== undefined) throw this.refusal;
    this.events = events;
    return {
      confirm: () => void this.told.push("confirm"),
      control: (tag: number, body: Uint8Array) => void this.told.push(`${tag}:${body.toHex()}`),
      stop: () => void this.told.push("stop"),
      attributes: () => ({ engine: this.name }),
      carry: (carries: boolean) => void this.told.push(carries ? "carry" : "rest"),
      traffic: () => this.carried,
      countsEachFrame: this.countsEachFrame,
    };
  }
}

let fastdp: ScriptedEngine;
let sleeve: ScriptedEngine;
let heard: string[];
let changes: OverlayChange[];
let mtus: string[];
let nowMs = 0;

beforeEach(() => {
  fastdp = new ScriptedEngine("fastdp");
  sleeve = new ScriptedEngine("sleeve");
  heard = [];
  changes = [];
  mtus = [];
  nowMs = 0;
});

function prepare(announced: string | undefined, engines: OverlayEngine[] = [fastdp, sleeve]) {
  const changed = (change: OverlayChange) => void changes.push(change);
  const chooser = new OverlayChooser({
    ...{ engines, log: silentLog, changed },
    mtuFound: ({ overlay, mtu }) => void mtus.push(`${overlay} ${mtu}`),
  });
  return chooser.prepare({
    local: 1 as PeerName,
    remote: 0xa as PeerName,
    connectionUid: 1n,
    outbound: true,
    localAddress: { host: "10.0.0.1", port: 6783 },
    remoteAddress: { host: "10.0.0.2", port: 6783 },
    sessionKey: undefined,
    passwordSet: false,
    remoteFeatures: new Map(announced === undefined ? [] : [["Overlays", announced]]),
    extensions: new Map(),
    now: () => nowMs,
    send: (tag, body) => heard.push(`${tag}:${body.toHex()}`),
    established: () => heard.push("established"),
    failed: (error) => heard.push(error.message),
  });
}

describe("what is announced", () => {
  test("is every engine in order of preference, and their own features", () => {
    const withFeatures: OverlayEngine = {
      ...noOverlay("fastdp"),
      features: () => new Map([["ShortID", "7"]]),
    };
    const chooser = new OverlayChooser({ engines: [withFeatures, sleeve], log: silentLog });
    expect([...chooser.features()]).toEqual([
      ["Overlays", "fastdp sleeve"],
      ["ShortID", "7"],
    ]);
  });

  test("is what the engines can do beyond the original", () => {
    const more: OverlayEngine = {
      ...noOverlay("sleeve"),
      extensions: () => new Map([["sleeve-aes-gcm", 1]]),
    };
    const chooser = new OverlayChooser({ engines: [fastdp, more], log: silentLog });
    expect([...chooser.extensions()]).toEqual([["sleeve-aes-gcm", 1]]);
  });

  test("nothing in common refuses the connection and says what each side has", () => {
    for (const announced of ["awsvpc", ""]) {
      expect(() => prepare(announced)).toThrow("no overlays in common with peer");
    }
    expect(() => prepare(undefined, [fastdp])).toThrow("no overlays in common with peer");
    try {
      prepare("x".repeat(60_000));
    } catch (error) {
      expect((error as WeaveError).remedy!.length).toBeLessThan(300);
    }
  });
});

test("what packets may have is told of the overlay that carries them", () => {
  prepare("fastdp sleeve");
  fastdp.events!.established();
  sleeve.events!.established();
  sleeve.events!.mtuFound(1438);
  expect(mtus).toEqual([]);
  fastdp.events!.mtuFound(1400);
  fastdp.events!.health(false);
  sleeve.events!.mtuFound(1300);
  fastdp.events!.health(true);
  expect(mtus).toEqual(["fastdp 1400", "sleeve 1438", "sleeve 1300", "fastdp 1400"]);
});

describe("control messages", () => {
  test("are framed with the index in the common list, as recorded from the original", () => {
    const link = prepare("fastdp sleeve");
    const bodies: Record<string, [ScriptedEngine, number, string]> = {
      "0000": [fastdp, 0, ""],
      "0101": [sleeve, 1, ""],
      "0102": [sleeve, 2, ""],
      "0103059e": [sleeve, 3, "059e"],
    };
    for (const { mesh_tag, payload } of vectors.control_messages) {
      const [engine, tag, body] = bodies[payload] ?? [fastdp, 1, payload.slice(4)];
      if (payload === "0003059e") continue;
      engine.events!.send(tag, fromHex(body));
      expect(heard.pop()).toBe(`${mesh_tag}:${payload}`);
      link.control(mesh_tag, fromHex(payload));
      expect(engine.told.pop()).toBe(`${tag}:${body}`);
    }
  });

  test("of the only common overlay have index 0", () => {
    const link = prepare("sleeve");
    sleeve.events!.send(3, fromHex("059e"));
    link.control(7, fromHex("0003059e"));
    expect(heard).toEqual(["7:0003059e"]);
    expect(sleeve.told).toContain("3:059e");
  });

  test("to a peer without the feature are bare protocol messages", () => {
    const link = prepare(undefined);
    sleeve.events!.send(1, fromHex(""));
    for (const [name, tag] of Object.entries(vectors.legacy_control_tags_without_switch)) {
      link.control(tag, fromHex(name === "pmtu_verified" ? "059e" : ""));
    }
    expect(heard).toEqual(["1:"]);
    expect(sleeve.told.slice(1)).toEqual(["1:", "2:", "3:059e"]);
    expect(fastdp.told).toEqual([]);
  });

  test("that would crash the original are ignored", () => {
    const link = prepare("fastdp sleeve");
    const old = prepare(undefined);
    fastdp.told.length = 0;
    sleeve.told.length = 0;
    for (const hex of ["", "00", "01", "0201", "ff01", "ff"]) link.control(7, fromHex(hex));
    for (const tag of [0, 1, 2, 3, 4, 255]) link.control(tag, fromHex(""));
    old.control(7, fromHex("0001"));
    old.control(4, fromHex(""));
    expect([...fastdp.told, ...sleeve.told, ...heard]).toEqual([]);
  });
});

describe("the choice", () => {
  let link: OverlayLink;
  beforeEach(() => {
    link = prepare("sleeve fastdp");
    link.confirm();
  });

  test("starts with the most preferred and waits for the peer", () => {
    expect(link.describe()).toEqual({
      name: "fastdp",
      attributes: { engine: "fastdp" },
      reason: "fastdp: waiting for the peer",
      degraded: false,
      sinceMs: 0,
    });
    expect(sleeve.told).toEqual(["confirm"]);
  });

  test("falls on the first overlay that the peer acknowledges, and then on a better one", () => {
    sleeve.events!.established();
    expect(link.describe().reason).toBe(
      "sleeve: the peer acknowledges it; fastdp is not acknowledged by the peer",
    );
    fastdp.events!.established();
    expect(link.describe().name).toBe("fastdp");
    expect(sleeve.told).toEqual(["confirm", "carry", "rest"]);
    expect(heard).toEqual(["established"]);
  });

  test("says what its overlays have carried, together and each that has carried anything", () => {
    expect(link.describe()).not.toHaveProperty("traffic");
    const once = { sentPackets: 1, sentBytes: 10, receivedPackets: 2, receivedBytes: 30 };
    fastdp.carried = noTraffic;
    sleeve.carried = once;
    fastdp.events!.established();
    const [present, former] = [
      { overlay: "fastdp", traffic: noTraffic },
      { overlay: "sleeve", traffic: once },
    ];
    expect(link.describe()).toMatchObject({ traffic: once, carried: [present, former] });
    fastdp.carried = once;
    sleeve.carried = noTraffic;
    expect(link.describe().carried).toEqual([{ overlay: "fastdp", traffic: once }]);
    sleeve.carried = once;
    expect(link.describe().traffic).toEqual({
      ...{ sentPackets: 2, sentBytes: 20, receivedPackets: 4, receivedBytes: 60 },
    });
  });

  test("says what overlays have counted, of those whose counts are the same at both ends", () => {
    sleeve.countsEachFrame = true;
    const counting = prepare("fastdp sleeve");
    expect(counting.frameCounts?.()).toEqual([]);
    const once = { sentPackets: 1, sentBytes: 10, receivedPackets: 2, receivedBytes: 30 };
    [fastdp.carried, sleeve.carried] = [once, once];
    expect(counting.frameCounts?.()).toEqual([{ overlay: "sleeve", sent: 1, received: 2 }]);
  });

  test("leaves an overlay whose heartbeats are missed and returns when they come again", () => {
    sleeve.events!.established();
    fastdp.events!.established();
    nowMs = 1000;
    fastdp.events!.health(false);
    expect(link.describe()).toMatchObject({ name: "sleeve", degraded: true, sinceMs: 1000 });
    expect(link.describe().reason).toBe(
      "sleeve: the peer acknowledges it; fastdp misses the peer's heartbeats",
    );
    nowMs = 2000;
    fastdp.events!.health(true);
    expect(link.describe()).toMatchObject({ name: "fastdp", degraded: false, sinceMs: 2000 });
    expect(link.describe().losses).toBe(1);
    expect(link.describe().reason).toBe("fastdp: the peer acknowledges it");
    const first = { overlay: "fastdp", before: "sleeve", degraded: false };
    expect(changes).toEqual([
      { ...first, remote: 0xa as PeerName, reason: "fastdp: the peer acknowledges it" },
      {
        ...{ remote: 0xa as PeerName, overlay: "sleeve", before: "fastdp", degraded: true },
        reason: "sleeve: the peer acknowledges it; fastdp misses the peer's heartbeats",
      },
      {
        ...{ remote: 0xa as PeerName, overlay: "fastdp", before: "sleeve", degraded: false },
        reason: "fastdp: the peer acknowledges it",
      },
    ]);
  });

  test("says why a failed overlay is not used", () => {
    sleeve.events!.established();
    fastdp.events!.failed(new WeaveError("X", "no VXLAN port"));
    expect(link.describe().reason).toBe(
      "sleeve: the peer acknowledges it; fastdp failed: no VXLAN port",
    );
    expect(fastdp.told).toContain("stop");
  });

  test("ends the connection when nothing is left, once", () => {
    fastdp.events!.health(false);
    sleeve.events!.failed(new WeaveError("X", "timed out waiting for UDP heartbeat"));
    fastdp.events!.failed(new WeaveError("X", "late"));
    expect(heard).toEqual([
      "no working forwarders to 00:00:00:00:00:0a: timed out waiting for UDP heartbeat",
    ]);
    expect(link.describe().name).toBe("none");
  });

  test("is silent after the connection has ended", () => {
    link.stop();
    link.stop();
    fastdp.events!.established();
    sleeve.events!.send(1, fromHex(""));
    link.control(7, fromHex("0101"));
    expect(heard).toEqual([]);
    expect(sleeve.told).toEqual(["confirm", "stop"]);
  });
});

describe("an overlay that cannot serve a connection", () => {
  test("keeps its index and says why", () => {
    fastdp.refusal = new WeaveError("X", "needs IPv4");
    const link = prepare("fastdp sleeve");
    sleeve.events!.send(1, fromHex(""));
    expect(heard).toEqual(["7:0101"]);
    expect(link.describe().reason).toBe("sleeve: waiting for the peer; fastdp failed: needs IPv4");
  });

  test("refuses the connection when it is the only one", () => {
    fastdp.refusal = new Error("no device");
    expect(() => prepare("fastdp")).toThrow(
      "no working forwarders to 00:00:00:00:00:0a: no device",
    );
  });
});

test("a better overlay that is missing here or there is named", () => {
  const unavailable = new Map([["fastdp", "no openvswitch module"]]);
  const chooser = new OverlayChooser({ engines: [sleeve], unavailable, log: silentLog });
  expect(chooser.features().get("Overlays")).toBe("sleeve");
  expect(prepare("sleeve").describe().reason).toBe(
    "sleeve: waiting for the peer; fastdp is not offered by the peer",
  );
  const parameters = {
    local: 1 as PeerName,
    remote: 2 as PeerName,
    connectionUid: 1n,
    outbound: true,
    localAddress: { host: "10.0.0.1", port: 6783 },
    remoteAddress: { host: "10.0.0.2", port: 6783 },
    sessionKey: undefined,
    passwordSet: false,
    remoteFeatures: new Map([["Overlays", "fastdp sleeve"]]),
    extensions: new Map(),
    now: () => nowMs,
    send() {},
    established() {},
    failed() {},
  };
  expect(chooser.prepare(parameters).describe().reason).toBe(
    "sleeve: waiting for the peer; fastdp cannot run here: no openvswitch module",
  );
});

test("a network that carries frames without us is established at once", () => {
  const link = prepare("awsvpc", [noOverlay("awsvpc")]);
  link.confirm();
  expect(heard).toEqual(["established"]);
  expect(link.describe()).toEqual({
    name: "awsvpc",
    attributes: {},
    reason: "awsvpc: the peer acknowledges it",
    degraded: false,
    sinceMs: 0,
  });
});
