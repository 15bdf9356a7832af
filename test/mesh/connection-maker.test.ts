import { describe, expect, test } from "bun:test";
import { type Endpoint, formatEndpoint } from "../../lib/base/endpoint.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import {
  type AttemptEvents,
  ConnectionMaker,
  courtesyDelayMs,
  courtesyMaxMs,
} from "../../lib/mesh/connection-maker.ts";
import { ConnectionRoom } from "../../lib/mesh/connection-room.ts";
import type { PeerRecord } from "../../lib/mesh/peer-record.ts";
import { loneWorld } from "../sim/world.ts";
import vectors from "../vectors/mesh/connections.json";
import { nameOf, sketch } from "./records.ts";

interface Claim {
  readonly from: string;
  readonly to: string;
  readonly address: string;
  readonly outbound: boolean;
}

function recordOf(name: string, claims: readonly Claim[]): PeerRecord {
  const links = claims
    .filter(({ from }) => from === name)
    .map(
      ({ to, address, outbound }) =>
        [parsePeerName(to), { address, outbound, established: true }] as const,
    );
  return { ...sketch({ n: 1 }), name: parsePeerName(name), links: new Map(links) };
}

/** A connection maker whose surroundings are set by the test. */
function maker(options: { discovery?: boolean; port?: number; limit?: number } = {}) {
  const { world, clock } = loneWorld();
  const state = {
    own: sketch({ n: 1 }),
    others: [] as PeerRecord[],
    callers: new Set<string>(),
    dialled: [] as string[],
    attempts: [] as Array<{ to: Endpoint; acceptUnknown: boolean; events: AttemptEvents }>,
    names: new Map<string, string[]>(),
    saved: [] as Array<readonly string[]>,
  };
  const room = new ConnectionRoom(options.limit ?? 0, () => state.own.links.size);
  const ports = {
    room,
    dial(to: Endpoint, acceptUnknown: boolean, events: AttemptEvents) {
      const release = room.reserve(to.host);
      const ended = (error: WeaveError): void => {
        release();
        events.ended(error);
      };
      state.dialled.push(formatEndpoint(to));
      state.attempts.push({ to, acceptUnknown, events: { ...events, ended } });
    },
    resolve(host: string, done: (addresses: string[] | WeaveError) => void) {
      return clock.after(1, () =>
        done(
          state.names.get(host) ?? new WeaveError("HOST_UNKNOWN", `lookup ${host}: no such host`),
        ),
      );
    },
    isCalledFrom: (host: string) => state.callers.has(host),
    get own() {
      return state.own;
    },
    records: () => [state.own, ...state.others],
    save: (texts: readonly string[]) => state.saved.push(texts),
  };
  const made = new ConnectionMaker(world, ports, {
    discovery: options.discovery ?? true,
    defaultPort: options.port ?? 6783,
  });
  const failure = new WeaveError("DIAL_FAILED", "connection refused");
  return { maker: made, state, world, clock, failure };
}

describe("the addresses dialled", () => {
  for (const situation of vectors.targets) {
    test(`${situation.name}: are those of the original`, () => {
      const { maker: made, state } = maker(situation);
      const ourClaims = situation.ourConnections.map((link) => ({
        from: situation.self,
        to: link.remote,
        address: link.address,
        outbound: link.outbound,
      }));
      state.own = recordOf(situation.self, ourClaims);
      const others = new Set(situation.otherPeersConnections.map(({ from }) => from));
      state.others = [...others].map((name) => recordOf(name, situation.otherPeersConnections));
      made.connect(situation.directPeers, { replace: false });
      // The original builds addresses that nobody can dial: IPv6 without brackets.
      const expected = situation.attempted.map((address) =>
        address === "fd00::3:6783" ? "[fd00::3]:6783" : address,
      );
      expect(state.dialled.sort()).toEqual(expected.sort());
    });
  }

  test("of direct peers accept whoever answers; discovered ones only who is known", () => {
    const { maker: made, state } = maker();
    state.others = [sketch({ n: 2, links: [[3]] })];
    made.connect(["10.0.0.9"], { replace: false });
    expect(state.attempts.map(({ to, acceptUnknown }) => [to.host, acceptUnknown])).toEqual([
      ["10.0.0.9", true],
      ["10.0.0.3", false],
    ]);
  });

  test("of peers with lower names are left to them for a while, longer in a large cluster", () => {
    for (const [others, waitMs] of [
      [1, courtesyDelayMs],
      [3, courtesyDelayMs + 200],
      [98, courtesyMaxMs],
    ] as const) {
      const { maker: made, state, clock } = maker();
      state.own = sketch({ n: 200, links: [[100]] });
      state.others = Array.from({ length: others }, (_, at) => sketch({ n: 100 + at }));
      state.others[0] = sketch({ n: 100, links: [[2]] });
      made.check();
      clock.run(waitMs - 1);
      expect(state.dialled.length).toBe(0);
      clock.run(1);
      expect(state.dialled.length).toBe(1);
    }
  });

  test("of a peer that is calling us wait until it has said who it is, or gone", () => {
    const { maker: made, state, clock } = maker();
    state.others = [sketch({ n: 2, links: [[3]] })];
    state.callers.add("10.0.0.3");
    made.connect(["10.0.0.9"], { replace: false });
    clock.run(9_000);
    expect(state.dialled).toEqual(["10.0.0.9:6783"]);
    state.callers.clear();
    clock.run(250);
    expect(state.dialled).toEqual(["10.0.0.9:6783", "10.0.0.3:6783"]);
  });

  test("are searched for a few times a second while the topology goes on improving", () => {
    const { maker: made, state, clock } = maker();
    let searches = 0;
    const seen = { ...sketch({ n: 2, links: [[3]] }) };
    state.others = [
      {
        ...seen,
        get links() {
          searches++;
          return seen.links;
        },
      },
    ];
    made.checkSoon();
    clock.run(50);
    const perSearch = searches;
    expect(state.dialled).toEqual(["10.0.0.3:6783"]);
    for (let ms = 0; ms < 1000; ms += 10) {
      made.checkSoon();
      clock.run(10);
    }
    expect(searches / perSearch).toBe(1 + 5);
  });

  test("that a user named are dialled whoever is calling from there", () => {
    const { maker: made, state } = maker();
    state.callers.add("10.0.0.9");
    made.connect(["10.0.0.9"], { replace: false });
    expect(state.dialled).toEqual(["10.0.0.9:6783"]);
  });

  test("leave out one that led to a peer we are connected to, until asked for again", () => {
    const { maker: made, state, clock, failure } = maker();
    made.connect(["10.0.0.2:6783"], { replace: false });
    state.attempts[0]!.events.introduced(nameOf(2));
    const inbound = { address: "10.0.0.2:41234", outbound: false };
    state.own = sketch({ n: 1, links: [[2, inbound]] });
    state.attempts[0]!.events.ended(failure);
    clock.run(3_600_000);
    expect(state.dialled.length).toBe(1);
    expect(made.targets()[0]!.state).toBe("suspended");
    made.connect(["10.0.0.2:6783"], { replace: false });
    expect(state.dialled.length).toBe(2);
  });
});

describe("in a cluster larger than the limit", () => {
  /** As many others in a row, each linked to the next; our own links first. */
  function crowd(limit: number, own: readonly number[], others: number) {
    const made = maker({ limit });
    made.state.own = sketch({ n: 1, links: own.map((n) => [n]) });
    made.state.others = Array.from({ length: others }, (_, at) =>
      sketch({ n: at + 2, links: [[at + 3], ...(at % 2 === 0 ? [[at + 1] as const] : [])] }),
    );
    return made;
  }

  test("no more are dialled than two thirds of it, and the next only when one failed", () => {
    const { maker: made, state, failure } = crowd(6, [2], 20);
    made.check();
    made.check();
    expect(state.dialled.length).toBe(3);
    state.attempts[0]!.events.ended(failure);
    expect(new Set(state.dialled).size).toBe(4);
    expect(state.dialled.length).toBe(4);
  });

  test("those with the fewest connections are dialled first", () => {
    const { maker: made, state } = crowd(6, [2], 20);
    made.check();
    // Peers 3, 5, 7 … have one link, the others two; nothing is known of the last.
    const numbers = state.dialled.map((address) => Number(/(\d+):/.exec(address)![1]));
    expect(numbers.every((n) => n % 2 === 1 || n === 22)).toBe(true);
  });

  test("nobody is dialled by one who has its share, except whom the user named", () => {
    const { maker: made, state } = crowd(6, [2, 3, 4, 5], 20);
    made.connect(["10.0.0.9"], { replace: false });
    expect(state.dialled).toEqual(["10.0.0.9:6783"]);
    expect(made.targets().length).toBe(1);
  });
});

describe("a peer that is sent elsewhere by one without room", () => {
  test("goes there, whoever answers, until it knows the one that sent it", () => {
    const { maker: made, state, clock, failure } = maker();
    made.connect(["10.0.0.2"], { replace: false });
    const { events } = state.attempts[0]!;
    events.introduced(nameOf(2));
    events.redirected(nameOf(2), [{ host: "10.0.0.7", port: 7000 }]);
    events.ended(failure);
    expect(state.dialled).toEqual(["10.0.0.2:6783", "10.0.0.7:7000"]);
    expect(state.attempts[1]!.acceptUnknown).toBe(true);
    state.attempts[1]!.events.ended(failure);
    state.others = [sketch({ n: 2 })];
    clock.run(60_000);
    expect(state.dialled.filter((address) => address === "10.0.0.7:7000").length).toBe(1);
    expect(made.targets().map(({ address }) => address)).toEqual(["10.0.0.2:6783"]);
  });

  test("stays where the user sent it when it is not to discover others", () => {
    const { maker: made, state, failure } = maker({ discovery: false });
    made.connect(["10.0.0.2"], { replace: false });
    const { events } = state.attempts[0]!;
    events.redirected(nameOf(2), [{ host: "10.0.0.7", port: 7000 }]);
    events.ended(failure);
    expect(state.dialled).toEqual(["10.0.0.2:6783"]);
  });
});

describe("a direct peer", () => {
  test("is retried until it answers, and again when the connection ends", () => {
    const { maker: made, state, clock, failure } = maker();
    made.connect(["10.0.0.2"], { replace: false });
    state.attempts[0]!.events.ended(failure);
    expect(made.targets()).toMatchObject([{ address: "10.0.0.2:6783", state: "waiting" }]);
    clock.run(3000);
    expect(state.dialled.length).toBe(2);
    state.attempts[1]!.events.introduced(nameOf(2));
    state.attempts[1]!.events.connected(nameOf(2));
    state.own = sketch({ n: 1, links: [[2]] });
    clock.run(600_000);
    expect(state.dialled.length).toBe(2);
    state.own = sketch({ n: 1 });
    state.attempts[1]!.events.ended(failure);
    expect(state.dialled.length).toBe(3);
  });

  test("that is forgotten is not retried, and its connection stays", () => {
    const { maker: made, state, clock, failure } = maker();
    made.connect(["10.0.0.2", "10.0.0.3"], { replace: false });
    made.forget(["10.0.0.2"]);
    for (const { events } of [...state.attempts]) events.ended(failure);
    clock.run(60_000);
    expect(new Set(state.dialled.slice(2))).toEqual(new Set(["10.0.0.3:6783"]));
    expect(state.saved.at(-1)).toEqual(["10.0.0.3"]);
  });

  test("is exchanged with all others by replacing", () => {
    const { maker: made, state } = maker();
    made.connect(["10.0.0.2", "10.0.0.3"], { replace: false });
    made.connect(["10.0.0.4"], { replace: true });
    expect(made.directTexts).toEqual(["10.0.0.4"]);
    expect(state.saved).toEqual([["10.0.0.2", "10.0.0.3"], ["10.0.0.4"]]);
  });

  test("with an address that cannot be read is refused, the others are tried", () => {
    const { maker: made, state } = maker();
    const refused = made.connect(["10.0.0.2:x", "10.0.0.3", "", "[fd00::1"], { replace: false });
    expect(refused.map(({ code }) => code)).toEqual(Array(3).fill("PEER_ADDRESS"));
    expect(state.dialled).toEqual(["10.0.0.3:6783"]);
  });

  test("asked for again is tried at once, whatever the back-off", () => {
    const { maker: made, state, failure } = maker();
    made.connect(["10.0.0.2"], { replace: false });
    state.attempts[0]!.events.ended(failure);
    made.connect(["10.0.0.2"], { replace: false });
    expect(state.dialled.length).toBe(2);
  });

  test("waits while no further connection is allowed", () => {
    const { maker: made, state, clock } = maker({ limit: 1 });
    state.own = sketch({ n: 1, links: [[3]] });
    made.connect(["10.0.0.2"], { replace: false });
    clock.run(60_000);
    expect(state.dialled).toEqual([]);
    state.own = sketch({ n: 1 });
    made.check();
    expect(state.dialled).toEqual(["10.0.0.2:6783"]);
  });
});

describe("a direct peer given by name", () => {
  test("is tried at all its addresses, resolved anew at each attempt", () => {
    const { maker: made, state, clock, failure } = maker();
    state.names.set("peer.example", ["10.0.0.2", "10.0.0.4"]);
    made.connect(["peer.example:7000"], { replace: false });
    clock.run(10);
    expect(state.dialled).toEqual(["10.0.0.2:7000", "10.0.0.4:7000"]);
    state.names.set("peer.example", ["10.0.0.3"]);
    for (const { events } of [...state.attempts]) events.ended(failure);
    clock.run(4000);
    expect(state.dialled.slice(2)).toEqual(["10.0.0.3:7000"]);
    expect(made.targets().map(({ address }) => address)).toEqual(["10.0.0.3:7000"]);
  });

  test("is tried by IPv6 as well when it did not answer by IPv4 three times", () => {
    const { maker: made, state, clock, failure } = maker();
    state.names.set("peer.example", ["fd00::2", "10.0.0.2"]);
    made.connect(["peer.example"], { replace: false });
    for (let failures = 1; failures <= 3; failures++) {
      clock.run(20_000);
      expect(state.dialled).toEqual(Array(failures).fill("10.0.0.2:6783"));
      state.attempts.at(-1)!.events.ended(failure);
    }
    clock.run(10);
    expect(state.dialled.at(-1)).toBe("[fd00::2]:6783");
  });

  test("is tried by IPv6 at once where this host has no way out by IPv4", () => {
    const { maker: made, state, clock } = maker();
    state.names.set("peer.example", ["10.0.0.2", "fd00::2"]);
    made.connect(["peer.example"], { replace: false });
    clock.run(10);
    state.attempts[0]!.events.ended(new WeaveError("TCP_ENETUNREACH", "network is unreachable"));
    clock.run(10);
    expect(state.dialled).toEqual(["10.0.0.2:6783", "[fd00::2]:6783"]);
  });

  test("is not looked for by IPv6 while a connection by IPv4 ends and begins again", () => {
    const { maker: made, state, clock, failure } = maker();
    state.names.set("peer.example", ["10.0.0.2", "fd00::2"]);
    made.connect(["peer.example"], { replace: false });
    clock.run(10);
    for (let round = 0; round < 4; round++) {
      state.attempts.at(-1)!.events.connected(sketch({ n: 2 }).name);
      clock.run(70_000);
      state.attempts.at(-1)!.events.ended(failure);
      clock.run(20_000);
    }
    expect(new Set(state.dialled)).toEqual(new Set(["10.0.0.2:6783"]));
  });

  test("that has IPv6 addresses alone is tried at those", () => {
    const { maker: made, state, clock } = maker();
    state.names.set("peer.example", ["fd00::2", "fd00::3"]);
    made.connect(["peer.example"], { replace: false });
    clock.run(10);
    expect(state.dialled).toEqual(["[fd00::2]:6783", "[fd00::3]:6783"]);
  });

  test("that does not resolve is shown, retried, and no hindrance to others", () => {
    const { maker: made, state, clock } = maker();
    made.connect(["nowhere.example", "10.0.0.2"], { replace: false });
    clock.run(10);
    expect(state.dialled).toEqual(["10.0.0.2:6783"]);
    const row = made.targets().find(({ address }) => address === "nowhere.example:6783")!;
    expect(row.state).toBe("waiting");
    expect(row.error!.message).toContain("no such host");
    state.names.set("nowhere.example", ["10.0.0.7"]);
    clock.run(4000);
    expect(state.dialled).toContain("10.0.0.7:6783");
    expect(made.targets().length).toBe(2);
  });

  test("keeps its last addresses while the resolver fails", () => {
    const { maker: made, state, clock, failure } = maker();
    state.names.set("peer.example", ["10.0.0.2"]);
    made.connect(["peer.example"], { replace: false });
    clock.run(10);
    state.names.delete("peer.example");
    state.attempts[0]!.events.ended(failure);
    clock.run(4000);
    expect(state.dialled).toEqual(["10.0.0.2:6783", "10.0.0.2:6783"]);
  });

  test("leaves no timer and no lookup when all is stopped", () => {
    const { maker: made, state, clock, world } = maker();
    state.names.set("peer.example", ["10.0.0.2"]);
    made.connect(["peer.example", "nowhere.example"], { replace: false });
    made.stop();
    clock.run(10);
    expect(world.timers).toBe(0);
    expect(clock.pending).toBe(0);
    expect(state.dialled).toEqual([]);
  });
});
