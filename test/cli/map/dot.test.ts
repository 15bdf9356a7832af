import { expect, test } from "bun:test";
import { dotText } from "../../../lib/cli/map/dot.ts";
import { networkMap } from "../../../lib/cli/map/network-map.ts";
import { peerName, someReading } from "../some-network.ts";

const map = networkMap(
  someReading({
    hosts: ["host1", 'ho"s\\t2\n'],
    links: [{ ends: [1, 2], overlay: "sleeve", roundTripMs: 1.25 }],
    containers: { 2: ["web"] },
    missing: [{ nickname: "host3", name: peerName(3), addresses: 1 }],
  }),
);

test("a graph for Graphviz has hosts, links and those that are missing", () => {
  expect(dotText(map, false)).toBe(
    [
      "graph weave {",
      "  node [shape=box, style=rounded];",
      '  "00:00:00:00:00:01" [label="host1\\n00:00:00:00:00:01", penwidth=2];',
      '  "00:00:00:00:00:02" [label="ho\\"s\\\\t2\ufffd\\n00:00:00:00:00:02"];',
      '  "00:00:00:00:00:03" [label="host3\\n00:00:00:00:00:03", color=red, style="rounded,dashed"];',
      '  "00:00:00:00:00:01" -- "00:00:00:00:00:02" [label="sleeve 1.3 ms", color=orange];',
      "}",
      "",
    ].join("\n"),
  );
});

test("a link of others has its overlay where one of its ends tells of it, and is grey where neither does", () => {
  const others = networkMap(
    someReading({
      hosts: ["host1", "host2", "host3", "host4"],
      links: [{ ends: [2, 3], told: ["fastdp"] }, { ends: [3, 4] }],
    }),
  );
  const text = dotText(others, false);
  expect(text).toContain('[label="fastdp 0.50 ms", color=darkgreen]');
  expect(text).toContain('"00:00:00:00:00:03" -- "00:00:00:00:00:04" [color=gray]');
});

test("containers are nodes of their own where they are wanted", () => {
  expect(dotText(map, true)).toContain(
    [
      '  "00:00:00:00:00:02 netns:web" [label="web\\n10.32.2.1/12", shape=ellipse];',
      '  "00:00:00:00:00:02" -- "00:00:00:00:00:02 netns:web" [style=dotted];',
    ].join("\n"),
  );
});
