import { describe, expect, test } from "bun:test";
import { writeHeartbeat } from "../../../lib/overlay/fastdp/heartbeat.ts";
import { FastdpLink, type FastdpLinkOptions } from "../../../lib/overlay/fastdp/link.ts";
import { loneWorld } from "../../sim/world.ts";
import heartbeats from "../../vectors/fastdp/heartbeat.json";
import switching from "../../vectors/fastdp/overlay-switch.json";

const uid = 77n;
const full = writeHeartbeat(uid, 1390);

function make(ownKind: boolean, more: Partial<FastdpLinkOptions> = {}) {
  const { world, clock } = loneWorld();
  const told: string[] = [];
  const sent: string[] = [];
  const link = new FastdpLink({
    world,
    connectionUid: uid,
    mtu: 1376,
    discoversMtu: false,
    ownKind,
    saysLife: false,
    showsLife: false,
    answersMtu: false,
    encrypted: false,
    events: {
      send: (tag, body) => told.push(`send ${tag}:${body.toHex()}`),
      established: () => told.push("established"),
      health: (healthy) => told.push(healthy ? "healthy" : "on hold"),
      peerTakes: (mtu) => told.push(`peer takes ${mtu}`),
      pathCarries: (mtu) => told.push(`path carries ${mtu}`),
    },
    traffic: () => undefined,
    transmit: (frame) => sent.push(`${clock.nowMs} ${frame.length}`),
    mtuChanged: () => told.push(`mtu ${link.mtu.limit}`),
    ...more,
  });
  const hear = (): boolean => link.heard(full, full.length);
  return { link, clock, world, told, sent, hear };
}

describe("a link to a peer of the original", () => {
  test("speaks every half second until it is heard, then every ten", () => {
    const { link, clock, sent, told } = make(false);
    link.confirm();
    clock.run(2100);
    expect(sent).toEqual(["0 1390", "500 1390", "1000 1390", "1500 1390", "2000 1390"]);
    link.control(0, new Uint8Array(0));
    link.control(0, new Uint8Array(0));
    expect(told).toEqual(["established"]);
    sent.length = 0;
    clock.run(30_000);
    expect(sent.length).toBe(3);
  });

  test("acknowledges the first heartbeat it hears, once, as recorded", () => {
    const { link, told, hear } = make(false);
    link.confirm();
    expect([hear(), hear()]).toEqual([true, true]);
    expect(told).toEqual(["send 0:"]);
    expect(heartbeats.ack.control_tag).toBe(0);
    expect(switching.control_messages[0]!.payload).toBe("0000");
  });

  test("never says whether it hears, and takes no such word", () => {
    const { link, clock, told, hear } = make(false);
    link.confirm();
    hear();
    link.control(0, new Uint8Array(0));
    link.control(2, Uint8Array.of(0));
    link.control(heartbeats.ack.crypto_init_tag, new Uint8Array(64));
    link.control(200, new Uint8Array(3));
    clock.run(25_000);
    hear();
    expect(told).toEqual(["send 0:", "established", "on hold", "healthy"]);
  });

  test("that is never heard slows down and goes on for ever", () => {
    const { link, clock, sent, told } = make(false);
    link.confirm();
    clock.run(60_000);
    expect(told).toEqual(["on hold"]);
    sent.length = 0;
    clock.run(600_000);
    expect(sent.length).toBe(60);
    expect(link.trouble).toBe("no heartbeat gets through");
  });

  test("ignores heartbeats of other connections", () => {
    const { link, told } = make(false);
    link.confirm();
    const other = writeHeartbeat(78n, 1390);
    expect(link.heard(other, other.length)).toBe(false);
    expect(told).toEqual([]);
  });

  test("leaves no timer behind", () => {
    const { link, world, hear } = make(false);
    link.confirm();
    hear();
    link.stop();
    expect(world.timers).toBe(0);
  });
});

describe("a link to a peer that says that it lives", () => {
  test("asks for it before the peer's silence counts", () => {
    const { link, clock, told, hear } = make(true, { saysLife: true });
    link.confirm();
    hear();
    link.control(0, new Uint8Array(0));
    told.length = 0;
    clock.run(60_000);
    expect(told).toEqual(["send 4:00"]);
    expect(link.trouble).toContain("does not answer");
    link.control(4, new Uint8Array(0));
    link.control(4, Uint8Array.of(1));
    clock.run(1500);
    expect(told).toEqual(["send 4:00", "send 2:00", "on hold"]);
  });

  test("says it when it is asked", () => {
    const { link, told } = make(true, { saysLife: true });
    link.control(4, Uint8Array.of(0));
    expect(told).toEqual(["send 4:01"]);
    const other = make(true);
    other.link.control(4, Uint8Array.of(0));
    expect(other.told).toEqual([]);
  });
});

describe("a link to a peer that shows that it lives", () => {
  const showing = { saysLife: true, showsLife: true };

  test("asks for it when a heartbeat is late, and gives the path up when none follows the answer", () => {
    const { link, clock, told, hear } = make(true, showing);
    link.confirm();
    hear();
    link.control(0, new Uint8Array(0));
    told.length = 0;
    clock.run(1300);
    expect(told).toEqual(["send 4:00"]);
    link.control(4, Uint8Array.of(1));
    clock.run(700);
    expect(told).toEqual(["send 4:00", "send 2:00", "on hold"]);
  });

  /** One over whose tunnel frames came until 3000 ms, and nothing from then on. */
  function cut(silentSinceMs = 3000) {
    const made = make(true, {
      ...showing,
      traffic: () => {
        const { nowMs } = made.clock;
        const activity = Math.floor(Math.min(nowMs, 3000) / 4);
        return { silenceMs: Math.max(0, nowMs - silentSinceMs), activity };
      },
    });
    made.link.confirm();
    made.link.control(0, new Uint8Array(0));
    for (let second = 0; second < 3; second++) {
      made.hear();
      made.clock.run(1000);
    }
    made.hear();
    made.told.length = 0;
    return made;
  }

  test("asks for it as soon as its frames stop, and gives the path up soon after the answer", () => {
    const { link, clock, told } = cut();
    clock.run(200);
    expect(told).toEqual(["send 4:00"]);
    link.control(4, Uint8Array.of(1));
    clock.run(250);
    expect(told).toEqual(["send 4:00", "send 2:00", "on hold"]);
  });

  test("takes what the datapath has had for heard, whoever has not got to tell of it", () => {
    const { link, clock, told } = cut(3300);
    clock.run(200);
    link.control(4, Uint8Array.of(1));
    clock.run(1000);
    expect(told).toEqual(["send 4:00"]);
  });

  test("sends three heartbeats when it is asked, however often that is", () => {
    const { link, clock, world, sent, told } = make(true, showing);
    for (let times = 0; times < 4; times++) link.control(4, Uint8Array.of(0));
    expect(told).toEqual(Array(4).fill("send 4:01"));
    clock.run(1000);
    expect(sent).toEqual(["0 60", "150 60", "300 60"]);
    link.control(4, Uint8Array.of(0));
    link.stop();
    clock.run(1000);
    expect(sent.length).toBe(4);
    expect(world.timers).toBe(0);
  });
});

describe("a link to a peer of our kind", () => {
  test("speaks every second, and at full length every five", () => {
    const { link, clock, sent } = make(true);
    link.confirm();
    link.control(0, new Uint8Array(0));
    clock.run(100);
    sent.length = 0;
    for (let second = 0; second < 20; second++) {
      link.heard(full, full.length);
      clock.run(1000);
    }
    expect(sent.length).toBe(20);
    expect(sent.filter((each) => each.endsWith(" 1390")).length).toBe(4);
    expect(sent.filter((each) => each.endsWith(" 60")).length).toBe(16);
  });

  test("tells the peer when it stops hearing it, and when it hears it again", () => {
    const { link, clock, told, hear } = make(true);
    link.confirm();
    hear();
    link.control(0, new Uint8Array(0));
    told.length = 0;
    clock.run(4600);
    expect(told).toEqual(["send 2:00", "on hold"]);
    for (let i = 0; i < 4; i++) {
      hear();
      clock.run(1000);
    }
    expect(told).toEqual(["send 2:00", "on hold", "send 2:01", "healthy"]);
  });

  test("is on hold while the peer says that it does not hear us", () => {
    const { link, clock, told, sent, hear } = make(true);
    link.confirm();
    hear();
    link.control(0, new Uint8Array(0));
    told.length = 0;
    link.control(2, Uint8Array.of(0));
    link.control(2, new Uint8Array(0));
    expect(told).toEqual(["on hold"]);
    expect(link.trouble).toBe("the peer does not get our heartbeats any more");
    sent.length = 0;
    for (let second = 0; second < 5; second++) {
      hear();
      clock.run(1000);
    }
    // Only what is long can show that the path works again.
    expect(sent.every((each) => each.endsWith(" 1390"))).toBe(true);
    expect(sent.length).toBe(5);
    link.control(2, Uint8Array.of(1));
    expect(told).toEqual(["on hold", "healthy"]);
    expect(link.trouble).toBeUndefined();
  });

  test("that was lost for long speaks rarely, and at once often when it is heard", () => {
    const { link, clock, sent, hear } = make(true);
    link.confirm();
    hear();
    link.control(0, new Uint8Array(0));
    clock.run(600_000);
    sent.length = 0;
    clock.run(60_000);
    expect(sent.length).toBe(6);
    sent.length = 0;
    hear();
    clock.run(5000);
    expect(sent.length).toBeGreaterThanOrEqual(5);
  });
});

describe("a link that finds out what its path carries", () => {
  const auto = { mtu: 8950, discoversMtu: true };
  const heartbeat = (mtu: number, asks = false): Uint8Array => writeHeartbeat(uid, 14 + mtu, asks);

  test("uses what the original has, towards a peer that cannot be asked", () => {
    const { link, told, sent, hear } = make(true, auto);
    expect(link.mtu).toMatchObject({ limit: 1376, isFound: true });
    link.confirm();
    expect(sent).toEqual(["0 1390"]);
    hear();
    expect(link.mtu.limit).toBe(1376);
    expect(told).toEqual(["peer takes 1376", "send 0:"]);
  });

  test("uses no more than such a peer's heartbeats say that it takes", () => {
    const { link, told } = make(false, auto);
    link.confirm();
    for (const mtu of [1300, 1300, 8000]) link.heard(heartbeat(mtu), 14 + mtu);
    expect(told).toEqual([
      ...["peer takes 1376", "send 0:", "peer takes 1300", "mtu 1300"],
      ...["peer takes 8000", "mtu 1376"],
    ]);
  });

  test("answers what asks it, unless its containers do not take that much", () => {
    const { link, told } = make(true, { answersMtu: true });
    link.confirm();
    for (const mtu of [1376, 1377, 9000]) link.heard(heartbeat(mtu, true), 14 + mtu);
    link.heard(heartbeat(1300), 1314);
    expect(told).toEqual(["send 0:", "send 3:0560"]);
    expect(link.mtu.limit).toBeUndefined();
  });

  test("answers no flood of questions", () => {
    const { link, told } = make(true, { answersMtu: true });
    link.confirm();
    for (let i = 0; i < 1000; i++) link.heard(heartbeat(1376, true), 1390);
    expect(told.length).toBe(129);
  });

  test("is not asked where that was not settled", () => {
    const { link, told } = make(true);
    link.confirm();
    link.heard(heartbeat(1376, true), 1390);
    link.control(3, Uint8Array.of(5, 0x60));
    expect(told).toEqual(["send 0:"]);
  });
});
