import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { asciiGlyphs, unicodeGlyphs } from "../../../lib/cli/terminal/glyphs.ts";
import { type Key, KeyReader } from "../../../lib/cli/terminal/keys.ts";
import { lineText } from "../../../lib/cli/terminal/spans.ts";
import { afterwards } from "../../../lib/cli/top/afterwards.ts";
import { shareRows } from "../../../lib/cli/top/share-rows.ts";
import { topFrame, wholeFrame } from "../../../lib/cli/top/top-frame.ts";
import { emptyState, type Happening, type TopState } from "../../../lib/cli/top/top-state.ts";
import { fullMesh, peerName, type SomeNetwork, someReading } from "../some-network.ts";

const network: SomeNetwork = {
  hosts: ["host1", "host2", "host3"],
  links: [
    { ends: [1, 2], overlay: "fastdp", roundTripMs: 0.31, carried: 1000, isEncrypted: true },
    { ends: [1, 3], overlay: "sleeve", roundTripMs: 12.4 },
    { ends: [2, 3] },
  ],
  encryption: true,
  containers: { 1: ["web", "db"], 3: ["client"] },
  attempts: [{ address: "192.168.77.9:6783", state: "retrying", info: "no route to host" }],
  missing: [{ nickname: "host9", name: peerName(9), addresses: 10 }],
};

const later: SomeNetwork = {
  ...network,
  atMs: 2000,
  links: network.links.map((link) => ({ ...link, ...(link.carried && { carried: 2_001_000 }) })),
};

const event = (id: number, text: string): Happening => ({
  what: "event",
  event: { id, at: `2026-01-02T15:0${id}:05.678Z`, kind: "link.lost", text, details: {} },
});

function stateAfter(...happenings: Happening[]): TopState {
  return happenings.reduce(afterwards, emptyState);
}

function keys(text: string): Happening[] {
  const reader = new KeyReader();
  const pressed: Key[] = [...reader.push(new TextEncoder().encode(text)), ...reader.settle()];
  return pressed.map((key) => ({ what: "key", key }));
}

const known: Happening[] = [
  { what: "reading", reading: someReading(network) },
  { what: "reading", reading: someReading(later) },
  event(1, "link to host3 lost"),
  event(2, "link to host3 established"),
  { what: "findings", findings: "1 warning" },
];

function shown(state: TopState, columns = 80, rows = 24): string[] {
  return topFrame(state, { columns, rows }, unicodeGlyphs).map((line) =>
    lineText(line, false).trimEnd(),
  );
}

describe("the screen of weave top", () => {
  test("of 80 by 24 has this host, links, containers, events and keys", () => {
    expect(shown(stateAfter(...known))).toEqual([
      "weave host1  00:00:00:00:00:01  3.1.0                                  15:04:07Z",
      "3 peers, without host9, 2/3 links, encrypted, 3 containers, 0 names",
      "10.32.0.0/12  3 used, 524,285 free here, 1,048,576 in all",
      "out 1.0 MB/s                █  in 100 kB/s                █",
      "▲ 1 warning: see 'weave doctor'",
      "▸ LINKS 3           STATE        OVERLAY      RTT  CIPHER          OUT        IN",
      "▸ 192.168.77.9:67…  retrying     -              -  -                 -         -",
      "  host2             established  fastdp   0.31 ms  encrypted  1.0 MB/s  100 kB/s",
      "  host3             established  sleeve     12 ms  none              -         -",
      "",
      "  CONTAINERS 3  ADDRESSES     HOST   NAMES                ID",
      "  client        10.32.3.1/12  host3  client.weave.local.  netns:client",
      "  db            10.32.1.2/12  host1  db.weave.local.      netns:db",
      "  web           10.32.1.1/12  host1  web.weave.local.     netns:web",
      "",
      "  EVENTS 2   KIND       WHAT",
      "  15:02:05Z  link.lost  link to host3 established",
      "  15:01:05Z  link.lost  link to host3 lost",
      "",
      "",
      "",
      "",
      "no route to host; is weave running there?",
      "q end  tab pane  s sort  / filter  p pause  ? help",
    ]);
  });

  test("of 120 columns has room for what is left out of 60", () => {
    const heading = (columns: number): string =>
      shown(stateAfter(...known), columns).find((line) => line.includes("LINKS"))!;
    for (const title of ["STATE", "RTT", "OUT"]) expect(heading(60)).toContain(title);
    expect(heading(60)).not.toContain("CIPHER");
    for (const title of ["CIPHER", "MTU", "TRAFFIC"]) expect(heading(120)).toContain(title);
  });

  test("shows what got lost, and says more of the link that is chosen", () => {
    const way = (lost: number, frames: number) => ({
      ...{ frames, lost, share: frames < 100 ? null : lost / frames },
    });
    const loss = { seconds: 60, to: way(250, 1000), from: way(2, 20) };
    const links = network.links.map((link) =>
      link.overlay === "sleeve" ? { ...link, loss } : link,
    );
    const reading = someReading({ ...network, links, attempts: [] });
    const text = shown(stateAfter({ what: "reading", reading }, ...keys("j")), 140);
    const [heading, , lossy] = text.slice(text.findIndex((line) => line.includes("LINKS")));
    expect(heading).toContain("LOSS");
    expect(lossy).toMatch(/host3 .* 25 % /);
    expect(text.join("\n")).toContain("lost in 60 s: 25 % out, 2 of 20 in; sleeve: the peer");
  });

  test("of any size is filled, and never overrun", () => {
    const state = stateAfter(...known);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 140 }),
        fc.integer({ min: 1, max: 50 }),
        (columns, rows) => {
          const lines = topFrame(state, { columns, rows }, unicodeGlyphs);
          expect(lines).toHaveLength(rows);
          for (const line of lines) {
            expect(Bun.stringWidth(lineText(line, false))).toBeLessThanOrEqual(columns);
          }
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  test("says that the router is away, and keeps what was known", () => {
    const away = stateAfter(...known, { what: "missed", sentence: "weave is not running" });
    expect(shown(away)).toContain("▲ not up to date: weave is not running");
    expect(shown(away).join("\n")).toContain("host2");
    const back = afterwards(away, { what: "reading", reading: someReading(later) });
    expect(shown(back).join("\n")).not.toContain("not up to date");
  });

  test("has all steps of ASCII alone where nothing else can be written", () => {
    const text = topFrame(stateAfter(...known), { columns: 120, rows: 40 }, asciiGlyphs)
      .map((line) => lineText(line, false))
      .join("\n");
    expect(text).toMatch(/^[\n -~]*$/);
  });

  test("lets no name draw anything", () => {
    const strange = someReading({ ...network, hosts: ["a\u001b[2J\n", "日本\u202e", "c"] });
    const text = shown(stateAfter({ what: "reading", reading: strange })).join("");
    expect(text).toMatch(/^[^\p{Cc}\p{Bidi_Control}]*$/u);
    expect(text).toContain("日本\ufffd");
  });
});

describe("keys of weave top", () => {
  const rowsOf = (state: TopState, marker = "▸"): string[] =>
    shown(state).filter((line) => line.startsWith(marker));

  test("choose rows, as far as there are any, and tell more of them", () => {
    expect(rowsOf(stateAfter(...known, ...keys("j")))[1]).toStartWith("▸ host2");
    expect(shown(stateAfter(...known, ...keys("j"))).at(-2)).toBe(
      "fastdp: the peer acknowledges it",
    );
    expect(rowsOf(stateAfter(...known, ...keys("jjjjjjk")))[1]).toStartWith("▸ host2");
    expect(rowsOf(stateAfter(...known, ...keys("\u001b[F")))[1]).toStartWith("▸ host3");
    expect(rowsOf(stateAfter(...known, ...keys("\u001b[F\u001b[H")))[1]).toStartWith("▸ 192.");
  });

  test("go from list to list", () => {
    expect(rowsOf(stateAfter(...known, ...keys("\t")))[0]).toStartWith("▸ CONTAINERS 3");
    expect(rowsOf(stateAfter(...known, ...keys("3")))[0]).toStartWith("▸ EVENTS 2");
    expect(rowsOf(stateAfter(...known, ...keys("\t\t\t")))[0]).toStartWith("▸ LINKS 3");
    expect(rowsOf(stateAfter(...known, ...keys("\u001b[Z")))[0]).toStartWith("▸ EVENTS 2");
  });

  test("sort by the next column, and the other way round", () => {
    const names = (text: string): string[] =>
      shown(stateAfter(...known, ...keys(text)))
        .slice(6, 9)
        .map((line) => line.slice(2).split(" ")[0]!);
    expect(names("sss")).toEqual(["host3", "host2", "192.168.77.9:67…"]);
    expect(names("sssr")).toEqual(["192.168.77.9:67…", "host2", "host3"]);
    expect(names("ssssss")).toEqual(["host2", "192.168.77.9:67…", "host3"]);
    expect(shown(stateAfter(...known, ...keys("sss")))[5]).toContain("*RTT");
  });

  test("show only what has a text, in all lists", () => {
    const typing = shown(stateAfter(...known, ...keys("/HOST3")));
    expect(typing.at(-1)).toBe("/HOST3_");
    expect(typing.join("\n")).not.toContain("host2 ");
    const kept = shown(stateAfter(...known, ...keys("/x\u007fhost3\rj")));
    expect(kept.at(-1)).toEndWith('only "host3"');
    expect(kept.join("\n")).toContain("client");
    expect(kept.join("\n")).not.toContain("web");
    const gone = shown(stateAfter(...known, ...keys("/host3\r"), ...keys("\u001b")));
    expect(gone.join("\n")).toContain("web");
  });

  test("hold what is shown, and go on with what is known by then", () => {
    const held = stateAfter(...known, ...keys("p"), event(3, "something new"));
    expect(shown(held)[0]).toEndWith("paused");
    expect(shown(held).join("\n")).not.toContain("something new");
    const on = keys("p").reduce(afterwards, held);
    expect(shown(on).join("\n")).toContain("something new");
  });

  test("explain themselves, and end it", () => {
    const help = stateAfter(...known, ...keys("?"));
    expect(shown(help).join("\n")).toContain("sort by the next column");
    expect(stateAfter(...known, ...keys("?q")).isOver).toBe(false);
    expect(stateAfter(...known, ...keys("q")).isOver).toBe(true);
    expect(stateAfter(...known, ...keys("/q")).isOver).toBe(false);
    expect(stateAfter(...known, ...keys("/\u0003")).isOver).toBe(true);
  });

  test("whatever they are, leave a screen that can be shown", () => {
    const some = fc.constantFrom(..."jks r/p?123xq\t\r\u007f\u001b");
    fc.assert(
      fc.property(fc.string({ unit: some, maxLength: 30 }), (text) => {
        const state = stateAfter(...known, ...keys(text));
        expect(topFrame(state, { columns: 70, rows: 15 }, unicodeGlyphs)).toHaveLength(15);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("rows of the screen", () => {
  test("go to the list that is looked at first, and to all a few", () => {
    expect(shareRows(20, [3, 4, 30], 0)).toEqual([3, 4, 13]);
    expect(shareRows(20, [50, 50, 50], 1)).toEqual([4, 12, 4]);
    expect(shareRows(20, [2, 3, 4], 0)).toEqual([2, 3, 4]);
    expect(shareRows(9, [50, 50, 50], 2)).toEqual([3, 3, 3]);
  });

  test("are for one list alone where there are few", () => {
    expect(shareRows(5, [50, 50, 50], 2)).toEqual([0, 0, 5]);
  });
});

test("of very many links those are shown around the chosen one", () => {
  const reading = someReading(fullMesh(200));
  const state = stateAfter({ what: "reading", reading }, ...keys("j".repeat(100)));
  const lines = shown(state);
  const chosen = lines.findLastIndex((line) => line.startsWith("▸"));
  expect(lines[chosen]).toStartWith("▸ host102 ");
  expect(lines[4]).toMatch(/^▸ LINKS 9\d-1\d\d\/199 /);
});

test("without a screen all there is is printed, wide enough for what it has", () => {
  const text = wholeFrame(stateAfter(...known), 100, unicodeGlyphs)
    .map((line) => lineText(line, false).trimEnd())
    .join("\n");
  for (const part of ["host2", "client", "link to host3 lost", "1 warning"]) {
    expect(text).toContain(part);
  }
  expect(text).not.toContain("q end");
});
