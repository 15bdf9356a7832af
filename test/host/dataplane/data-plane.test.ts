import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { sliceNs } from "../../../ffi/scheduling.ts";
import { formatPeerName, parsePeerName } from "../../../lib/base/peer-name.ts";
import { capturedMtu, prepareBridge } from "../../../lib/host/bridge.ts";
import { DataPlane } from "../../../lib/host/dataplane/data-plane.ts";
import { defaultDeviceNames as names } from "../../../lib/host/device-names.ts";
import { deleteLink, findLink } from "../../../lib/host/netlink/link.ts";
import { openRoute } from "../../../lib/host/netlink/open.ts";
import { formatMac } from "../../../lib/wire/ethernet.ts";
import { deliver, Laboratory, recordingLog } from "../laboratory.ts";
import { TwoHosts } from "./two-hosts.ts";

describe("two data planes", () => {
  const laboratory = new Laboratory("plane");
  let hosts: TwoHosts;

  beforeAll(async () => {
    hosts = new TwoHosts(laboratory);
    await Promise.all([hosts.a.plane.ready, hosts.b.plane.ready]);
  });
  afterAll(async () => {
    await hosts.stop();
    laboratory.close();
  });

  const aToB = (size?: number) =>
    deliver(hosts.a.container, hosts.b.container, "10.32.0.2", size === undefined ? {} : { size });
  const bToA = () => deliver(hosts.b.container, hosts.a.container, "10.32.0.1");

  test("join the bridges of their hosts into one Ethernet", async () => {
    expect(hosts.a.plane.secretBox).toBe("libsodium (system)");
    expect(deliver(hosts.a.container, hosts.b.container, "10.32.0.2", { timeoutMs: 100 })).toBe(
      undefined,
    );
    await hosts.connect(1);
    expect(aToB()).toBe("10.32.0.1");
    expect(bToA()).toBe("10.32.0.2");
  });

  test("wait less for a processor than threads that compute", () => {
    const threads = readdirSync("/proc/self/task").map(Number);
    const ordinary = sliceNs();
    if (ordinary === 0) return; // before Linux 6.12
    expect(threads.filter((thread) => sliceNs(thread) < ordinary)).toHaveLength(2);
  });

  test("carry datagrams far larger than the path between them", () => {
    expect(aToB(30_000)).toBe("10.32.0.1");
  });

  test("say what they know and what they have done", async () => {
    const { macs, links, total, engine, perLink, nowMs } = await hosts.a.plane.inspect();
    expect(links).toMatchObject([
      { link: 1, remote: hosts.b.name, state: "established", cipher: undefined },
    ]);
    const peers = new Set(macs.map(({ peer }) => formatPeerName(peer)));
    expect([...peers].sort()).toEqual([hosts.a.name, hosts.b.name].map(formatPeerName));
    expect(macs.every(({ lastSeenMs }) => lastSeenMs <= nowMs)).toBe(true);
    expect(total.framesOut).toBeGreaterThan(2);
    expect(total.framesIn).toBeGreaterThan(1);
    expect(engine.framesCaptured).toBeGreaterThan(2);
    expect(perLink.get(1)).toEqual(total);
    using netlink = openRoute(hosts.b.container);
    const guest = findLink(netlink, { name: "ethwe" })!;
    expect(macs.map(({ mac }) => formatMac(mac))).toContain(guest.mac);
  });

  test("publish counters without being asked", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = setInterval(() => {
      if (hosts.a.plane.counters().total.framesOut > 2) resolve();
    }, 10);
    await promise;
    clearInterval(look);
    const { engine, sockets, total } = hosts.a.plane.counters();
    // Read later, so maybe of a later moment.
    const { sentPackets, receivedBytes } = hosts.a.commands.traffic(1)!;
    expect(sentPackets).toBeGreaterThanOrEqual(total.framesOut);
    expect(receivedBytes).toBeGreaterThanOrEqual(total.frameOctetsIn);
    expect(engine.framesCaptured).toBeGreaterThan(2);
    expect(sockets.captureReceived).toBeGreaterThanOrEqual(engine.framesCaptured);
    expect(sockets).toMatchObject({ captureDropped: 0, captureMalformed: 0, injectFailures: 0 });
    const { offloads } = await hosts.a.plane.inspect();
    expect(offloads.map(({ name }) => name)).toEqual(["capture", "capture-udp", "send", "receive"]);
  });

  test("go on when a link is replaced by an encrypted one", async () => {
    await hosts.connect(2, new Uint8Array(32).fill(5));
    for (const host of [hosts.a, hosts.b]) host.commands.stop(1);
    expect(aToB()).toBe("10.32.0.1");
    expect(aToB(30_000)).toBe("10.32.0.1");
    expect((await hosts.a.plane.inspect()).links).toMatchObject([{ link: 2, cipher: "secretbox" }]);
  });

  test("go on after bridge and tap were made anew", async () => {
    const { a } = hosts;
    using netlink = openRoute(a.namespace);
    for (const name of [names.tap, names.bridge]) {
      deleteLink(netlink, findLink(netlink, { name })!.index);
    }
    const { capture } = a.namespace.run(() =>
      prepareBridge(netlink, { names, peer: a.name, mtu: capturedMtu }),
    );
    a.plane.recapture(capture.index);
    await a.plane.inspect();
    expect(bToA()).toBe("10.32.0.2");
    expect(() => a.plane.recapture(4711)).toThrow(
      expect.objectContaining({ code: "CAPTURE_FAILED" }),
    );
    expect(aToB()).toBe("10.32.0.1");
  });

  test("cannot share a port, and the second says so", () => {
    const { a } = hosts;
    using netlink = openRoute(a.namespace);
    const captureInterface = findLink(netlink, { name: names.capture })!.index;
    const options = { local: a.name, captureInterface, host: 0, port: 6783, log: a.log };
    expect(() => a.namespace.run(() => new DataPlane(options))).toThrow(
      "cannot use UDP 0.0.0.0:6783",
    );
  });
});

describe("two data planes over IPv6", () => {
  const laboratory = new Laboratory("pla6");
  let hosts: TwoHosts;

  beforeAll(async () => {
    hosts = new TwoHosts(laboratory, 6);
    await Promise.all([hosts.a.plane.ready, hosts.b.plane.ready]);
  });
  afterAll(async () => {
    await hosts.stop();
    laboratory.close();
  });

  const aToB = (size = 10) => deliver(hosts.a.container, hosts.b.container, "10.32.0.2", { size });
  const bToA = (size = 10) => deliver(hosts.b.container, hosts.a.container, "10.32.0.1", { size });
  const mtuAtBoth = async (mtu: number): Promise<void> => {
    while (hosts.a.mtu !== mtu || hosts.b.mtu !== mtu) await new Promise(setImmediate);
  };

  for (const [how, seal, mtu] of [
    ["in clear", undefined, 1418],
    ["under NaCl's secretbox", new Uint8Array(32).fill(5), 1394],
    ["under AES-256-GCM", { sessionKey: new Uint8Array(32).fill(6) }, 1394],
  ] as const) {
    test(`carry frames ${how}, and find out what the path carries`, async () => {
      const link = mtu + how.length;
      await hosts.connect(link, seal);
      expect(aToB()).toBe("10.32.0.1");
      expect(bToA(30_000)).toBe("10.32.0.2");
      await mtuAtBoth(mtu);
      const { links } = await hosts.b.plane.inspect();
      expect(links).toMatchObject([{ link, endpoint: { ip: "fd05::1", port: 6783 } }]);
      for (const { commands } of [hosts.a, hosts.b]) commands.stop(link);
    });
  }

  test("go on when a worker fails, under keys that were never used", async () => {
    await hosts.connect(5, { sessionKey: new Uint8Array(32).fill(7) });
    await crash(hosts);
    expect(bToA()).toBe("10.32.0.2");
    expect(aToB()).toBe("10.32.0.1");
    const { links } = await hosts.a.plane.inspect();
    expect(links).toMatchObject([{ link: 5, cipher: "aes-256-gcm", endpoint: { ip: "fd05::2" } }]);
    expect(hosts.b.failures).toEqual([]);
  });

  test("tell the log nothing of a family that they have", () => {
    expect(hosts.a.log.lines.filter((line) => line.includes("IPv4 alone"))).toEqual([]);
  });
});

/** A key of a wrong size is a fault that no caller of ours makes and no engine survives. */
async function crash({ a, b, ips }: TwoHosts): Promise<void> {
  const { commands, plane } = a;
  commands.prepare(9, {
    remote: b.name,
    connectionUid: 9n,
    outbound: true,
    localIp: ips[0],
    remoteIp: ips[1],
    remotePort: 6783,
    key: new Uint8Array(31),
  });
  commands.confirm(9);
  await expect(plane.inspect()).rejects.toMatchObject({ code: "DATA_PLANE_SILENT" });
  const working = () =>
    plane.inspect().then(
      () => true,
      () => false,
    );
  while (!(await working())) await new Promise(setImmediate);
}

/** How many things this process waits on. */
function epollsOpen(): number {
  return readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`) === "anon_inode:[eventpoll]";
    } catch {
      return false;
    }
  }).length;
}

describe("a data plane whose worker fails", () => {
  const laboratory = new Laboratory("crash");
  let hosts: TwoHosts;
  let epollsBefore: number;

  beforeAll(async () => {
    hosts = new TwoHosts(laboratory);
    await hosts.connect(1);
    epollsBefore = epollsOpen();
  });
  afterAll(async () => {
    await hosts.stop();
    laboratory.close();
  });

  const aToB = () => deliver(hosts.a.container, hosts.b.container, "10.32.0.2");

  test("starts another, which carries the links in clear on", async () => {
    await crash(hosts);
    const { failures, log, plane } = hosts.a;
    expect(plane.restarts).toBe(1);
    expect(log.lines.join("\n")).toMatch(/error data plane failed: .*32 octets/);
    expect(failures).toEqual(["9 SLEEVE_RESTARTED"]);
    expect((await plane.inspect()).links.map(({ link }) => link)).toEqual([1]);
    expect(aToB()).toBe("10.32.0.1");
    expect(hosts.b.failures).toEqual([]);
  });

  test("gives up encrypted links, whose keys must not be used again", async () => {
    await hosts.connect(2, new Uint8Array(32).fill(1));
    hosts.a.failures.splice(0);
    await crash(hosts);
    expect(hosts.a.failures.sort()).toEqual(["2 SLEEVE_RESTARTED", "9 SLEEVE_RESTARTED"]);
    hosts.b.commands.stop(2);
    await hosts.connect(3, new Uint8Array(32).fill(2));
    expect(aToB()).toBe("10.32.0.1");
  });

  test("carries links under AES-256-GCM on, with keys that were never used, in both directions", async () => {
    hosts.a.commands.stop(3);
    hosts.b.commands.stop(3);
    await hosts.connect(4, { sessionKey: new Uint8Array(32).fill(3) });
    expect(aToB()).toBe("10.32.0.1");
    hosts.a.failures.splice(0);
    for (let round = 0; round < 2; round++) {
      await crash(hosts);
      expect(hosts.a.failures.splice(0)).toEqual(["9 SLEEVE_RESTARTED"]);
      expect(aToB()).toBe("10.32.0.1");
      const back = deliver(hosts.b.container, hosts.a.container, "10.32.0.1");
      expect(back).toBe("10.32.0.2");
      const { links } = await hosts.a.plane.inspect();
      expect(links.at(-1)).toMatchObject({ link: 4, state: "established", cipher: "aes-256-gcm" });
    }
    expect(hosts.b.failures).toEqual([]);
  });

  test("leaves nothing open of those that failed", async () => {
    // The runtime closes its own when it is done with a thread.
    while (epollsOpen() > epollsBefore) await new Promise(setImmediate);
    expect(hosts.a.plane.restarts).toBeGreaterThan(2);
  });

  test("leaves nothing behind when it is stopped, and may be stopped twice", async () => {
    await hosts.stop();
    await hosts.stop();
    await expect(hosts.a.plane.inspect()).rejects.toThrow();
  });
});

test("a data plane that is stopped before it is ready says so to whoever waits", async () => {
  const laboratory = new Laboratory("early");
  const host = laboratory.namespace("h");
  const plane = host.run(() => {
    using netlink = openRoute();
    const { capture } = prepareBridge(netlink, { names, peer: parsePeerName("::1"), mtu: 1500 });
    const captureInterface = capture.index;
    const log = recordingLog();
    const local = parsePeerName("::1");
    return new DataPlane({ local, captureInterface, host: 0, port: 0, log });
  });
  const ready = plane.ready.then(
    () => "ready",
    (error) => error.code,
  );
  await plane.stop();
  expect(["ready", "DATA_PLANE_FAILED"]).toContain(await ready);
  laboratory.close();
});
