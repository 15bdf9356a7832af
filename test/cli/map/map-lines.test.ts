import { describe, expect, test } from "bun:test";
import { mapLines } from "../../../lib/cli/map/map-lines.ts";
import { networkMap } from "../../../lib/cli/map/network-map.ts";
import { asciiGlyphs, unicodeGlyphs } from "../../../lib/cli/terminal/glyphs.ts";
import { lineText } from "../../../lib/cli/terminal/spans.ts";
import { fullMesh, peerName, type SomeNetwork, someReading } from "../some-network.ts";

interface Wishes {
  readonly columns?: number;
  readonly hasContainers?: boolean;
  readonly hasAll?: boolean;
  readonly isAscii?: boolean;
}

/** The picture below its first line, without blanks at the ends of lines. */
function drawn(network: SomeNetwork, wishes: Wishes = {}): string {
  const map = networkMap(someReading(network));
  const lines = mapLines(map, {
    glyphs: wishes.isAscii === true ? asciiGlyphs : unicodeGlyphs,
    ...{ columns: wishes.columns ?? 80, isEncrypted: map.isEncrypted },
    ...{ hasContainers: wishes.hasContainers ?? false, hasAll: wishes.hasAll ?? false },
  });
  return lines
    .slice(2)
    .map((line) => lineText(line, false).trimEnd())
    .join("\n");
}

function title(network: SomeNetwork): string {
  const map = networkMap(someReading(network));
  const wishes = { columns: 80, hasContainers: false, hasAll: false };
  const [first] = mapLines(map, { ...wishes, glyphs: unicodeGlyphs, isEncrypted: map.isEncrypted });
  return lineText(first!, false);
}

const three: SomeNetwork = {
  hosts: ["host1", "host2", "host3"],
  links: [
    { ends: [1, 2], overlay: "fastdp", roundTripMs: 0.31 },
    { ends: [1, 3], overlay: "sleeve", roundTripMs: 12.4 },
    { ends: [2, 3] },
  ],
  containers: { 1: ["web", "db"], 3: ["client"] },
};

describe("a map of few hosts", () => {
  test("draws each link as an arc, with what is known of it here", () => {
    expect(title(three)).toBe("3 hosts, 3 links, 3 containers, in clear");
    expect(drawn(three)).toBe(
      [
        "● host1  this host, 2 containers ─┬─────────────────┐",
        "                                  │ fastdp 0.31 ms  │ sleeve 12 ms",
        "● host2 ──────────────────────────┤                 │",
        "                                  │                 │",
        "● host3  1 container ─────────────┴─────────────────┘",
      ].join("\n"),
    );
  });

  test("says the same of links of others as their ends do, and where those differ", () => {
    const links = [
      ...three.links.slice(0, 2),
      { ends: [2, 3], told: ["fastdp", "sleeve"] } as const,
    ];
    expect(drawn({ ...three, links }, { columns: 100 })).toBe(
      [
        "● host1  this host, 2 containers ─┬─────────────────┐",
        "                                  │ fastdp 0.31 ms  │ sleeve 12 ms",
        "● host2 ──────────────────────────┤                 │",
        "                                  │ sleeve 0.50 ms  │",
        "● host3  1 container ─────────────┴─────────────────┘",
        "",
        "▲ host2 sends to host3 by fastdp, and host3 to host2 by sleeve",
      ].join("\n"),
    );
  });

  test("has the containers below their hosts, beside the links", () => {
    expect(drawn(three, { hasContainers: true })).toBe(
      [
        "● host1  this host ───────┬─────────────────┐",
        "    db   10.32.1.2/12     │ fastdp 0.31 ms  │ sleeve 12 ms",
        "    web  10.32.1.1/12     │                 │",
        "● host2 ──────────────────┤                 │",
        "                          │                 │",
        "● host3 ──────────────────┴─────────────────┘",
        "    client  10.32.3.1/12",
      ].join("\n"),
    );
  });

  test("keeps columns below each other where names have wide characters", () => {
    const wide = { hosts: ["host1"], links: [], containers: { 1: ["数据库", "web"] } };
    expect(drawn(wide, { hasContainers: true })).toBe(
      ["● host1  this host", "    web     10.32.1.2/12", "    数据库  10.32.1.1/12"].join("\n"),
    );
  });

  test("is drawn with ASCII alone where that is wanted", () => {
    expect(drawn(three, { isAscii: true })).toBe(
      [
        "* host1  this host, 2 containers -+-----------------+",
        "                                  | fastdp 0.31 ms  | sleeve 12 ms",
        "* host2 --------------------------+                 |",
        "                                  |                 |",
        "* host3  1 container -------------+-----------------+",
      ].join("\n"),
    );
  });

  test("lets arcs of four go over lines to other lanes", () => {
    expect(drawn(fullMesh(4))).toBe(
      [
        "● host1  this host ─┬─────────────────┬────────────────────┐",
        "                    │ fastdp 0.20 ms  │ fastdp 0.30 ms     │ fastdp 0.40 ms",
        "● host2 ────────────┼─────────────────│─────────────────┐  │",
        "                    │                 │                 │  │",
        "● host3 ────────────┼─────────────────┘                 │  │",
        "                    │                                   │  │",
        "● host4 ────────────┴───────────────────────────────────┴──┘",
      ].join("\n"),
    );
  });

  test("says which links are in clear where the network is not", () => {
    const mixed: SomeNetwork = {
      hosts: ["host1", "host2", "host3"],
      encryption: true,
      links: [
        { ends: [1, 2], overlay: "sleeve", roundTripMs: 1, isEncrypted: true },
        { ends: [1, 3], overlay: "sleeve", roundTripMs: 1 },
      ],
    };
    expect(title(mixed)).toEndWith(", encrypted");
    expect(drawn(mixed)).toContain("│ sleeve 1.0 ms  │ sleeve 1.0 ms in clear");
  });
});

describe("a map of a network that is not whole", () => {
  const divided: SomeNetwork = {
    hosts: ["host1", "host2", "host3", "host4"],
    links: [
      { ends: [1, 2], overlay: "fastdp", roundTripMs: 0.3 },
      { ends: [3, 4], oneSided: true },
    ],
    unreached: [3, 4],
    missing: [{ nickname: "host5", name: peerName(5), addresses: 131_072 }],
    attempts: [{ address: "192.168.77.5:6783", state: "retrying", info: "no route to host" }],
  };

  test("has an island for those that are apart, and says what is wrong", () => {
    expect(title(divided)).toBe("4 hosts, 1 of 2 links, 0 containers, in clear");
    expect(drawn(divided)).toBe(
      [
        "Reached from here, 2 hosts:",
        "● host1  this host ─┐",
        "                    │ fastdp 0.30 ms",
        "● host2 ────────────┘",
        "",
        "Apart, 2 hosts:",
        "○ host3 ─┐",
        "         ┊ one-sided",
        "○ host4 ─┘",
        "",
        "Not heard of:",
        "○ host5  00:00:00:00:00:05",
        "",
        "▲ 192.168.77.5:6783 retrying: no route to host; is weave running there?",
        "▲ only one of host3 and host4 has their link",
        "▲ no way leads to host3",
        "▲ no way leads to host4",
        "▲ host5 (00:00:00:00:00:05) is not heard of and owns 131,072 addresses: 'weave",
        "  rmpeer host5' if it is gone for good",
      ].join("\n"),
    );
  });

  test("suggests no command that a nickname would make another one", () => {
    const missing = [{ nickname: "h;reboot", name: peerName(5), addresses: 1 }];
    const text = drawn({ hosts: ["host1"], links: [], missing });
    expect(text.replace(/\n\s*/g, " ")).toContain("'weave rmpeer 00:00:00:00:00:05' if");
  });

  test("shows a link of this host that does not carry frames as broken", () => {
    const pending: SomeNetwork = {
      hosts: ["host1", "host2"],
      links: [{ ends: [1, 2], state: "pending" }],
    };
    expect(drawn(pending)).toStartWith(
      "● host1  this host ─┐\n                    ┊ pending\n● host2 ────────────┘\n",
    );
  });

  test("of a host alone is that host", () => {
    expect(drawn({ hosts: ["host1"], links: [] })).toBe("● host1  this host");
  });
});

describe("a map of more hosts", () => {
  const eight: SomeNetwork = {
    ...fullMesh(8),
    links: fullMesh(8)
      .links.filter(({ ends: [a, b] }) => !(a === 1 && b === 8) && !(a === 4 && b === 5))
      .map((link) =>
        link.ends[0] === 1 && link.ends[1] === 3 ? { ...link, overlay: "sleeve" } : link,
      ),
    via: { 8: 2 },
    containers: { 2: ["a", "b", "c"] },
  };

  test("is a table of how they are reached and who is linked to whom", () => {
    expect(drawn(eight)).toBe(
      [
        "    HOST                 FROM HERE       1 2 3 4 5 6 7 8",
        "1 ● host1  this host     here            .",
        "2 ● host2  3 containers  fastdp 0.20 ms  F .",
        "3 ● host3                sleeve 0.30 ms  S + .",
        "4 ● host4                fastdp 0.40 ms  F + + .",
        "5 ● host5                fastdp 0.50 ms  F + + - .",
        "6 ● host6                fastdp 0.60 ms  F + + + + .",
        "7 ● host7                fastdp 0.70 ms  F + + + + + .",
        "8 ● host8                via host2       - + + + + + + .",
        "",
        "F fastdp  S sleeve  + linked  - not linked  ! not as it should be",
      ].join("\n"),
    );
  });

  test("leaves the columns of hosts out where there is no room", () => {
    expect(drawn(eight, { columns: 48 }).split("\n").slice(0, 3)).toEqual([
      "    HOST                 FROM HERE",
      "1 ● host1  this host     here",
      "2 ● host2  3 containers  fastdp 0.20 ms",
    ]);
  });
});

describe("a map of very many hosts", () => {
  const mesh = fullMesh(200);
  const many: SomeNetwork = {
    ...mesh,
    links: mesh.links.filter(({ ends: [a, b] }) => !(b === 200 && (a === 1 || a === 7))),
    via: { 200: 7 },
    containers: { 1: ["a"], 5: ["b", "c"] },
  };

  test("is a line for all in the same situation, and one for each that is in another", () => {
    expect(title(many)).toBe("200 hosts, 19,898 links, 3 containers, in clear");
    expect(drawn(many)).toBe(
      [
        "● host1  this host, 1 container",
        "  197 hosts  fastdp 0.20 ms to 20 ms, linked to all, 2 containers: host2 … host199",
        "     1 host  fastdp 0.70 ms, 1 link missing: host7",
        "     1 host  via host7, 2 links missing: host200",
      ].join("\n"),
    );
  });

  test("is a line for each when all are asked for", () => {
    const lines = drawn(many, { hasAll: true }).split("\n");
    expect(lines).toHaveLength(201);
    expect(lines.at(-1)).toBe("200 ● host200                        via host7");
  });
});

describe("names on a map", () => {
  test("cannot draw anything, and have the columns that they take", () => {
    const strange: SomeNetwork = {
      hosts: ["日本", "x\u001b[2J\u202ey"],
      links: [{ ends: [1, 2], overlay: "fastdp", roundTripMs: 1 }],
    };
    expect(drawn(strange)).toBe(
      [
        "● 日本  this host ─┐",
        "                   │ fastdp 1.0 ms",
        "● x\ufffd[2J\ufffdy ─────────┘",
      ].join("\n"),
    );
  });
});
