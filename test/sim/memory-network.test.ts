import { describe, expect, test } from "bun:test";
import { fromUtf8, utf8 } from "../../lib/base/bytes.ts";
import { errorCode } from "../../lib/base/errors.ts";
import { type ByteStream, silenceMaxMs } from "../../lib/mesh/transport.ts";
import { MemoryNetwork } from "./memory-network.ts";
import { VirtualClock } from "./virtual-clock.ts";

interface End {
  stream: ByteStream;
  read: string;
  closed: string | undefined;
}

function watch(stream: ByteStream): End {
  const end: End = { stream, read: "", closed: undefined };
  stream.listen({
    data: (bytes) => {
      end.read += fromUtf8(bytes);
    },
    closed: (error) => {
      end.closed = error === undefined ? "in good order" : error.message;
    },
  });
  return end;
}

function connected(link = {}) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, 1, link);
  const ends: End[] = [];
  network.host("10.0.0.2").listen(6783, (stream) => ends.push(watch(stream)));
  network.host("10.0.0.1").transport.dial(
    { host: "10.0.0.2", port: 6783 },
    {
      opened: (stream) => ends.push(watch(stream)),
      failed: (error) => {
        throw error;
      },
    },
  );
  clock.run(100);
  return { clock, network, near: ends[0]!, far: ends[1]! };
}

describe("the virtual clock", () => {
  test("runs events in the order of their times, and of asking when times are equal", () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    for (const [delay, name] of [
      [5, "c"],
      [1, "a"],
      [5, "d"],
      [3, "b"],
    ] as const) {
      clock.after(delay, () => seen.push(`${name}@${clock.nowMs}`));
    }
    clock.after(4, () => seen.push("cancelled"))();
    expect(clock.pending).toBe(4);
    clock.run(10);
    expect(seen).toEqual(["a@1", "b@3", "c@5", "d@5"]);
    expect(clock.nowMs).toBe(10);
    expect(clock.pending).toBe(0);
  });

  test("says so when what is waited for does not come", () => {
    const clock = new VirtualClock();
    clock.after(20, () => {});
    expect(() => clock.runUntil(() => false, 10)).toThrow("not reached within 10 ms");
    expect(clock.nowMs).toBe(10);
  });
});

describe("the memory network", () => {
  test("delivers octets in order although every segment takes another time", () => {
    const { clock, near, far } = connected({ delayMs: 5, jitterMs: 20 });
    for (const word of ["one ", "two ", "three ", "four"]) near.stream.write(utf8(word));
    expect(far.read).toBe("");
    clock.run(100);
    expect(far.read).toBe("one two three four");
  });

  test("keeps what a cut link holds back and delivers it after healing", () => {
    const { clock, network, near, far } = connected();
    network.cut("10.0.0.1", "10.0.0.2");
    near.stream.write(utf8("before "));
    near.stream.write(utf8("after"));
    clock.run(silenceMaxMs - 1);
    expect(far.read).toBe("");
    network.heal("10.0.0.1", "10.0.0.2");
    clock.run(60_000);
    expect(far.read).toBe("before after");
  });

  test("keeps the order of what was under way when a link was cut and healed", () => {
    const { clock, network, near, far } = connected();
    network.link("10.0.0.1", "10.0.0.2", { delayMs: 50, jitterMs: 50 });
    near.stream.write(utf8("first "));
    clock.run(20);
    const heal = network.cut("10.0.0.1", "10.0.0.2");
    clock.run(80);
    near.stream.write(utf8("second "));
    clock.run(20);
    heal();
    near.stream.write(utf8("third"));
    clock.run(500);
    expect(far.read).toBe("first second third");
  });

  test("carries data one way while the other is cut, but no word that it arrived", () => {
    const { clock, network, near, far } = connected();
    const heal = network.cutOneWay("10.0.0.2", "10.0.0.1");
    near.stream.write(utf8("x".repeat(100_000)));
    far.stream.write(utf8("and back"));
    clock.run(1000);
    expect([far.read.length, near.read]).toEqual([65_536, ""]);
    expect(near.stream.backlogBytes).toBe(100_000 - 65_536);
    heal();
    clock.run(1000);
    expect(near.read).toBe("and back");
    expect(far.read.length).toBe(100_000);
  });

  for (const [what, cut] of [
    ["both directions", "cut"],
    ["one direction", "cutOneWay"],
  ] as const) {
    test(`breaks at both ends when ${what} stay cut, and only then`, () => {
      const { clock, network, near, far } = connected();
      for (let round = 0; round < 3; round++) {
        const heal = network[cut]("10.0.0.1", "10.0.0.2");
        clock.run(silenceMaxMs - 1);
        heal();
        clock.run(1);
      }
      expect([near.closed, far.closed]).toEqual([undefined, undefined]);
      network[cut]("10.0.0.1", "10.0.0.2");
      clock.run(silenceMaxMs);
      for (const end of [near, far]) expect(end.closed).toContain("did not answer for 9 s");
    });
  }

  test("stays cut until the last of several cuts is healed", () => {
    const { clock, network, near, far } = connected();
    const [first, second] = [0, 1].map(() => network.cut("10.0.0.1", "10.0.0.2"));
    near.stream.write(utf8("x"));
    first!();
    clock.run(1000);
    expect(far.read).toBe("");
    second!();
    clock.run(1000);
    expect(far.read).toBe("x");
  });

  test("a slow host takes little at a time, and senders see their backlog", () => {
    const { clock, network, near, far } = connected();
    network.throttle("10.0.0.2", 10);
    near.stream.write(utf8("x".repeat(200_000)));
    clock.run(1000);
    expect(near.stream.backlogBytes).toBeGreaterThan(100_000);
    network.unthrottle("10.0.0.2");
    clock.run(60_000);
    expect(far.read.length).toBe(200_000);
  });

  test("flushes before an orderly close and tells both ends", () => {
    const { clock, near, far } = connected({ bytesPerMs: 10 });
    near.stream.write(utf8("x".repeat(200_000)));
    expect(near.stream.backlogBytes).toBeGreaterThan(100_000);
    near.stream.end();
    clock.run(60_000);
    expect(far.read.length).toBe(200_000);
    expect([near.closed, far.closed]).toEqual(["in good order", "in good order"]);
  });

  test("a reset reaches the other end as an error", () => {
    const { clock, near, far } = connected();
    near.stream.reset();
    clock.run(10);
    expect(far.closed).toContain("ECONNRESET");
  });

  test("a machine without power says nothing until it is written to", () => {
    const { clock, network, near } = connected();
    network.host("10.0.0.2").crash({ silent: true });
    clock.run(silenceMaxMs - 1000);
    expect(near.closed).toBeUndefined();
    near.stream.write(utf8("anybody?"));
    clock.run(10);
    expect(near.closed).toContain("ECONNRESET");
  });

  test("a machine without power is given up also when nobody writes to it", () => {
    const { clock, network, near } = connected();
    network.host("10.0.0.2").crash({ silent: true });
    clock.run(silenceMaxMs);
    expect(near.closed).toContain("did not answer for 9 s");
  });

  test("what a host has said is under way until it arrives, also after its process ended", () => {
    const { clock, network, near, far } = connected({ delayMs: 50 });
    expect(network.isUnderWay("10.0.0.1")).toBe(false);
    near.stream.write(utf8("farewell"));
    network.host("10.0.0.1").crash({ silent: false });
    clock.run(40);
    expect([network.isUnderWay("10.0.0.1"), network.isUnderWay("10.0.0.2")]).toEqual([true, false]);
    clock.run(100);
    expect([network.isUnderWay("10.0.0.1"), far.read]).toEqual([false, "farewell"]);
  });

  test("what an ended process has said is lost where its cable was pulled", () => {
    const { clock, network, near, far } = connected({ delayMs: 50 });
    near.stream.write(utf8("farewell"));
    const heal = network.cut("10.0.0.1", "10.0.0.2");
    network.host("10.0.0.1").crash({ silent: false });
    clock.run(100);
    expect(network.isUnderWay("10.0.0.1")).toBe(false);
    heal();
    clock.run(100);
    expect(far.read).toBe("");
  });

  test("a dial fails at once where nobody listens and late where nobody answers", () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork(clock, 1);
    network.host("10.0.0.2");
    network.cut("10.0.0.1", "10.0.0.3");
    const failures: string[] = [];
    for (const host of ["10.0.0.2", "10.0.0.3"]) {
      network.host("10.0.0.1").transport.dial(
        { host, port: 6783 },
        {
          opened: () => {},
          failed: (error) => failures.push(`${errorCode(error)} ${error.message} @${clock.nowMs}`),
        },
      );
    }
    clock.run(20_000);
    expect(failures).toEqual([
      "DIAL_FAILED dial tcp 10.0.0.2:6783: ECONNREFUSED @2",
      "DIAL_FAILED dial tcp 10.0.0.3:6783: ETIMEDOUT @10000",
    ]);
  });
});
