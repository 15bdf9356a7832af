import { afterEach, describe, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { mkdtempSync, readSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeDescriptor } from "../../../ffi/descriptor.ts";
import { AF_UNIX, bindSocket, openSocket, SOCK_DGRAM, sockaddrUn } from "../../../ffi/socket.ts";
import type { NetworkEvent } from "../../../lib/base/network-event.ts";
import { type Log, silentLog } from "../../../lib/base/world.ts";
import { openSyslogDoor, type SyslogDoor } from "../../../lib/daemon/events/syslog/syslog-door.ts";
import { SyslogOutlet, waitingMax } from "../../../lib/daemon/events/syslog/syslog-outlet.ts";
import {
  formatSyslogTarget,
  parseSyslogTarget,
  type SyslogTarget,
} from "../../../lib/daemon/events/syslog/syslog-target.ts";
import { machineWorld } from "../../../lib/host/machine-world.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { eventually } from "../../hosts/shell.ts";

const origin = { facility: "authpriv", host: "host1", pid: 7 } as const;

const attached = (id: number): NetworkEvent => ({
  ...{ id, atMs: 1000, kind: "container.attached", by: { kind: "cli", user: "al", pid: 8 } },
  details: { container: "c1", addresses: ["10.32.0.1/12", "10.40.0.1/12"] },
});

const asSent = (id: number): string =>
  `<85>1 1970-01-01T00:00:01.000Z host1 weave 7 container.attached [weave@32473 id="${id}" ` +
  `container="c1" addresses="10.32.0.1/12,10.40.0.1/12" by="cli" byUser="al" byPid="8"] ` +
  `\ufeffattached c1 with 10.32.0.1/12, 10.40.0.1/12`;

const decoded = (octets: Uint8Array): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets);

const closing: Array<() => void> = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Asks again whenever others had their turn. */
function comesTo<T>(what: string, ask: () => T, pleases: (answer: T) => boolean): Promise<T> {
  const paced = async (): Promise<T> => {
    await new Promise(setImmediate);
    return ask();
  };
  return eventually(what, paced, pleases);
}

function outletTo(target: SyslogTarget): SyslogOutlet {
  const to = formatSyslogTarget(target);
  const outlet = new SyslogOutlet(machineWorld(silentLog), to, origin, () =>
    openSyslogDoor(target),
  );
  closing.push(() => outlet.stop());
  return outlet;
}

describe("events reach a receiver", () => {
  test("of this machine, at its datagram socket, also one that is made later", async () => {
    const folder = mkdtempSync(join(tmpdir(), "weave-syslog-"));
    closing.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "log");
    const outlet = outletTo({ kind: "unix", path });
    outlet.take(attached(1));
    await comesTo(
      "that nobody is there is noticed",
      () => outlet.status(),
      ({ trouble }) => trouble !== undefined,
    );
    const descriptor = openSocket(AF_UNIX, SOCK_DGRAM, 0, path);
    closing.push(() => closeDescriptor(descriptor));
    bindSocket(descriptor, sockaddrUn(path), path);
    outlet.take(attached(2));
    await comesTo(
      "both are sent",
      () => outlet.status(),
      ({ sent }) => sent === 2,
    );
    const buffer = new Uint8Array(4096);
    for (const id of [1, 2]) {
      expect(decoded(buffer.subarray(0, readSync(descriptor, buffer)))).toBe(asSent(id));
    }
    expect(outlet.status()).toEqual({ sent: 2, lost: 0, waiting: 0 });
  });

  test("by UDP, a datagram each", async () => {
    const heard: string[] = [];
    const receiver = createSocket("udp4", (message) => heard.push(decoded(message)));
    closing.push(() => receiver.close());
    await new Promise<void>((ready) => receiver.bind(0, "127.0.0.1", ready));
    const outlet = outletTo({ kind: "udp", host: "127.0.0.1", port: receiver.address().port });
    for (const id of [1, 2, 3]) outlet.take(attached(id));
    await comesTo(
      "all are heard",
      () => heard,
      ({ length }) => length === 3,
    );
    expect(heard).toEqual([1, 2, 3].map(asSent));
  });

  test("by TCP, with their lengths, and again after the receiver was away", async () => {
    const heard: string[] = [];
    const listen = (port: number) =>
      Bun.listen({
        ...{ hostname: "127.0.0.1", port },
        socket: { data: (_, octets) => void heard.push(decoded(octets)) },
      });
    const first = listen(0);
    const { port } = first;
    const outlet = outletTo({ kind: "tcp", host: "127.0.0.1", port });
    outlet.take(attached(1));
    const framed = (id: number) => `${Buffer.byteLength(asSent(id))} ${asSent(id)}`;
    await comesTo(
      "the first is heard",
      () => heard.join(""),
      (text) => text === framed(1),
    );
    first.stop(true);
    let id = 2;
    await comesTo(
      "its end is noticed",
      () => {
        outlet.take(attached(id++));
        return outlet.status();
      },
      ({ trouble }) => trouble !== undefined,
    );
    const second = listen(port);
    closing.push(() => second.stop(true));
    await comesTo(
      "the last is heard",
      () => heard.join(""),
      (text) => text.includes(asSent(id - 1)),
    );
    expect(outlet.status()).toMatchObject({ lost: 0, waiting: 0 });
  });
});

test("what was begun by TCP is ended when there is room, also if nothing follows", async () => {
  const heard: Buffer[] = [];
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    accepted.resolve(socket.pause().on("data", (octets: Buffer) => void heard.push(octets)));
  });
  closing.push(() => server.close());
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  using door = await openSyslogDoor({ kind: "tcp", host: "127.0.0.1", port });
  const socket = await accepted.promise;
  closing.push(() => socket.destroy());
  const message = new Uint8Array(8000).fill(120);
  let octets = 0;
  while (door.send(message)) octets += "8000 ".length + message.length;
  socket.resume();
  await comesTo(
    "all of the last message",
    () => heard.reduce((sum, { length }) => sum + length, 0),
    (length) => length === octets,
  );
});

describe("a receiver that is away", () => {
  function away(log: Log = silentLog) {
    const clock = new VirtualClock();
    let opened = 0;
    const open = async (): Promise<SyslogDoor> => {
      opened++;
      throw new Error("nobody is there");
    };
    const world = Object.assign(new SimWorld(clock, 1), { log });
    const outlet = new SyslogOutlet(world, "local", origin, open);
    return { clock, outlet, opened: () => opened };
  }

  /** Lets what was begun come to its end. */
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };

  test("takes a bounded room, and what does not fit is counted", async () => {
    const { outlet } = away();
    for (let id = 0; id < waitingMax + 5; id++) outlet.take(attached(id));
    await turns();
    expect(outlet.status()).toEqual({
      ...{ sent: 0, lost: 5, waiting: waitingMax, trouble: "nobody is there" },
    });
  });

  test("is asked less and less often, and told of once", async () => {
    const lines: string[] = [];
    const { clock, outlet, opened } = away({ ...silentLog, warn: (line) => void lines.push(line) });
    for (let second = 0; second < 100; second++) {
      outlet.take(attached(second));
      await turns();
      clock.run(1000);
      await turns();
    }
    expect(opened()).toBeLessThan(10);
    expect(lines).toEqual([`events wait for local, at most ${waitingMax}: nobody is there`]);
    outlet.stop();
    clock.run(100_000);
    expect(opened()).toBeLessThan(10);
  });

  test("or has no room gets all in order when it has", async () => {
    const clock = new VirtualClock();
    const taken: string[] = [];
    let room = 3;
    const door: SyslogDoor = {
      send: (message) => room-- > 0 && taken.push(decoded(message)) > 0,
      [Symbol.dispose]() {},
    };
    const outlet = new SyslogOutlet(new SimWorld(clock, 1), "local", origin, async () => door);
    for (let id = 0; id < 1000; id++) outlet.take(attached(id));
    await turns();
    expect(taken).toEqual([0, 1, 2].map(asSent));
    room = 5000;
    clock.run(10_000);
    expect(taken).toEqual(Array.from({ length: 1000 }, (_, id) => asSent(id)));
  });
});

describe("a place for messages", () => {
  test.each([
    ["local", "unix:///dev/log"],
    ["unix:///run/log", "unix:///run/log"],
    ["udp://10.0.0.1", "udp://10.0.0.1:514"],
    ["udp://[fd00::1]:5514", "udp://[fd00::1]:5514"],
    ["tcp://logs.example.org:601", "tcp://logs.example.org:601"],
  ])("is written %s, and means %s", (text, meant) => {
    expect(formatSyslogTarget(parseSyslogTarget(text))).toBe(meant);
    expect(parseSyslogTarget(meant)).toEqual(parseSyslogTarget(text));
  });

  test.each([
    "",
    "syslog",
    "tcp://host",
    "udp://",
    "udp://a b",
    "unix://log",
    "http://x:1",
    "udp://h:0",
  ])("is not %p", (text) => {
    expect(() => parseSyslogTarget(text)).toThrow("is no place for messages");
  });
});
