import { describe, expect, test } from "bun:test";
import type { Sample } from "../../../lib/api/metrics/measurement.ts";
import { clockSeriesMax, neighbourSeriesMax } from "../../../lib/api/metrics/metric-spec.ts";
import { prometheusText } from "../../../lib/api/metrics/prometheus-text.ts";
import { WeaveError } from "../../../lib/base/errors.ts";
import { parsePeerName } from "../../../lib/base/peer-name.ts";
import { meshMeasurements } from "../../../lib/daemon/metrics/mesh-measurements.ts";
import type { ConnectionStatus, MeshSummary } from "../../../lib/mesh/mesh-status.ts";
import { parseExposition } from "../../api/prometheus-parser.ts";
import { established, summary } from "./some-mesh.ts";

function samples(mesh: Partial<MeshSummary>, name: string): Map<string, number> {
  const text = prometheusText(meshMeasurements({ ...summary, ...mesh }));
  return parseExposition(text).get(name)?.samples ?? new Map();
}

const attempt = (state: ConnectionStatus["state"]): ConnectionStatus => ({
  ...{ address: "10.0.0.9:6783", outbound: true, state, info: "" },
});

describe("connections", () => {
  test("are counted by state and overlay, in whatever state they are", () => {
    const connections = [
      established(2, { attributes: { name: "fastdp", mtu: 1376, encrypted: true } }),
      established(3, { attributes: { name: "fastdp", mtu: 1376 } }),
      established(4, { attributes: { name: "sleeve", mtu: 1438 } }),
      ...(["waiting", "retrying", "retrying"] as const).map(attempt),
    ];
    const counts = samples({ connections }, "weave_connections");
    expect([...counts].filter(([, count]) => count > 0)).toEqual([
      ['{encryption="",state="established",type="fastdp"}', 1],
      ['{encryption="yes",state="established",type="fastdp"}', 1],
      ['{encryption="",state="established",type="sleeve"}', 1],
      ['{encryption="",state="waiting",type="unknown"}', 1],
      ['{encryption="",state="retrying",type="unknown"}', 2],
    ]);
    expect(counts.size).toBe(8);
  });

  test("show their extensions, and what seals their frames", () => {
    const [ours, original] = ["aes-256-gcm/libcrypto", "secretbox/libsodium"];
    const sealed = (n: number, seal: string) =>
      established(n, { attributes: { name: "sleeve", seal }, extensions: ["digests/1"] });
    const connections = [sealed(2, ours), sealed(3, original), sealed(4, ours), established(5)];
    expect([...samples({ connections }, "weave_connection_extensions")]).toEqual([
      ['{extension="digests/1"}', 3],
    ]);
    expect([...samples({ connections }, "weave_connection_seals")]).toEqual([
      [`{seal="${ours}"}`, 2],
      [`{seal="${original}"}`, 1],
    ]);
  });

  test("that use a lesser overlay than both ends have are counted", () => {
    const connections = [established(2, { degraded: true }), established(3)];
    expect(samples({ connections }, "weave_connections_degraded").get("")).toBe(1);
  });
});

describe("a neighbour", () => {
  const who = 'nickname="host2",peer="00:00:00:00:00:02"';

  test("shows what its connection is like", () => {
    const connections = [
      established(2, {
        attributes: { name: "sleeve", mtu: 1414, encrypted: true, seal: "aes-256-gcm/libcrypto" },
        ...{
          clockOffsetMs: -2500,
          roundTripMs: 1.5,
          sinceMs: 1_700_000_000_500,
          degraded: true,
          losses: 3,
        },
      }),
    ];
    const one = (name: string) => [...samples({ connections }, name)];
    expect(one("weave_connection_info")).toEqual([
      [
        '{address="10.0.0.2:6783",encrypted="yes",nickname="host2",overlay="sleeve",' +
          'peer="00:00:00:00:00:02",seal="aes-256-gcm/libcrypto"}',
        1,
      ],
    ]);
    expect(one("weave_connection_round_trip_seconds")).toEqual([
      [`{address="10.0.0.2:6783",${who}}`, 0.0015],
    ]);
    expect(one("weave_connection_mtu_bytes")).toEqual([[`{address="10.0.0.2:6783",${who}}`, 1414]]);
    expect(one("weave_connection_degraded")).toEqual([[`{${who}}`, 1]]);
    expect(one("weave_neighbour_clock_offset_seconds")[0]).toEqual([`{${who}}`, -2.5]);
    expect(one("weave_connection_established")).toEqual([[`{${who}}`, 1]]);
    expect(one("weave_connection_path_losses_total")).toEqual([[`{${who}}`, 3]]);
    expect(one("weave_connection_overlay_start_time_seconds")).toEqual([
      ['{nickname="host2",overlay="sleeve",peer="00:00:00:00:00:02"}', 1_700_000_000.5],
    ]);
  });

  test("shows what got lost since it is connected, each way, where both ends compare", () => {
    const none = { frames: 0, lost: 0 };
    const total = { to: { frames: 1000, lost: 20 }, from: { frames: 500, lost: 0 } };
    const connections = [
      established(2, { loss: { recent: { to: none, from: none }, total } }),
      established(3),
    ];
    const by = (direction: string): string => `{direction="${direction}",${who}}`;
    expect([...samples({ connections }, "weave_connection_compared_frames_total")]).toEqual([
      [by("sent"), 1000],
      [by("received"), 500],
    ]);
    expect([...samples({ connections }, "weave_connection_lost_frames_total")]).toEqual([
      [by("sent"), 20],
      [by("received"), 0],
    ]);
  });

  test("shows what each overlay has carried, in both directions", () => {
    const traffic = { sentPackets: 1, sentBytes: 100, receivedPackets: 2, receivedBytes: 300 };
    const carried = [
      { overlay: "fastdp", traffic },
      { overlay: "sleeve", traffic: { ...traffic, sentBytes: 7 } },
    ];
    const connections = [established(2, { carried })];
    const by = (overlay: string, direction: string): string =>
      `{direction="${direction}",nickname="host2",overlay="${overlay}",peer="00:00:00:00:00:02"}`;
    expect([...samples({ connections }, "weave_connection_bytes_total")]).toEqual([
      [by("fastdp", "sent"), 100],
      [by("fastdp", "received"), 300],
      [by("sleeve", "sent"), 7],
      [by("sleeve", "received"), 300],
    ]);
    expect([...samples({ connections }, "weave_connection_packets_total")]).toEqual([
      [by("fastdp", "sent"), 1],
      [by("fastdp", "received"), 2],
      [by("sleeve", "sent"), 1],
      [by("sleeve", "received"), 2],
    ]);
  });

  test("with a rival connection is shown once, by the one that is established", () => {
    const rival = { ...established(2), state: "pending" as const };
    for (const connections of [
      [rival, established(2)],
      [established(2), rival],
    ]) {
      expect([...samples({ connections }, "weave_connection_established")]).toEqual([
        [`{${who}}`, 1],
      ]);
    }
  });

  test("that is none yet is none", () => {
    const connections = [attempt("connecting")];
    expect(samples({ connections }, "weave_connection_info").size).toBe(0);
  });
});

test("clocks of neighbours have series where they are off, the furthest first, and are one otherwise", () => {
  const offsets = (...ms: readonly number[]) => {
    const connections = ms.map((clockOffsetMs, at) => established(at + 2, { clockOffsetMs }));
    const found = samples({ connections }, "weave_neighbour_clock_offset_seconds");
    return [...found].map(([labels, value]) => [/peer="([^"]*)"/.exec(labels)![1], value]);
  };
  expect(offsets()).toEqual([]);
  expect(offsets(3, -20, 12)).toEqual([["other", -0.02]]);
  expect(offsets(3, -40_000, 12)).toEqual([
    ["00:00:00:00:00:03", -40],
    ["other", 0.012],
  ]);
  const all = offsets(...Array.from({ length: 20 }, (_, at) => (at + 3) * 1000));
  expect(all).toHaveLength(clockSeriesMax + 1);
  expect(all[0]).toEqual(["00:00:00:00:00:15", 22]);
  expect(all.at(-1)).toEqual(["other", 14]);
});

describe("more neighbours than have series of their own", () => {
  const connections = Array.from({ length: 199 }, (_, at) =>
    established(at + 2, {
      ...{ roundTripMs: at, degraded: at === 198 },
      attributes: { name: "fastdp", mtu: at === 150 ? 1200 : 1376 },
      carried: [
        {
          overlay: "fastdp",
          traffic: { sentPackets: 1, sentBytes: 1, receivedPackets: 1, receivedBytes: 1 },
        },
      ],
    }),
  );

  test("are one by the name of other, as well as the worst of them", () => {
    const other = 'nickname="",peer="other"';
    const of = (name: string) => samples({ connections }, name);
    expect(of("weave_connection_degraded").get(`{${other}}`)).toBe(1);
    expect(of("weave_connection_mtu_bytes").get(`{address="",${other}}`)).toBe(1200);
    expect(of("weave_connection_round_trip_seconds").get(`{address="",${other}}`)).toBe(0.198);
    expect(of("weave_connection_established").size).toBe(neighbourSeriesMax + 1);
    expect(of("weave_connection_bytes_total").size).toBe(2 * neighbourSeriesMax);
  });

  test("are the same ones when others come", () => {
    const named = (list: readonly Sample[]) =>
      new Set(list.flatMap(({ labels }) => labels?.peer ?? []));
    const before = named(meshMeasurements({ ...summary, connections }));
    const more = [...connections.toReversed(), established(4000)];
    expect(named(meshMeasurements({ ...summary, connections: more }))).toEqual(before);
  });
});

describe("routers among themselves", () => {
  test("are counted by what they say on each channel", () => {
    const gossip = [
      {
        ...{ channel: "topology", sentMessages: 3, sentBytes: 300 },
        ...{ receivedMessages: 4, receivedBytes: 400 },
      },
    ];
    expect([...samples({ gossip }, "weave_gossip_bytes_total")]).toEqual([
      ['{channel="topology",direction="sent"}', 300],
      ['{channel="topology",direction="received"}', 400],
    ]);
  });

  test("are counted by what they say and nobody takes, whose number is theirs", () => {
    const error = new WeaveError("DNS_CLOCK_SKEW", "names of tomorrow");
    const refusal = (origin: string, channel: string) => ({
      ...{ channel, origin: parsePeerName(origin), count: 2, atMs: 0 },
      error: { code: error.code, text: error.message },
    });
    const refusals = [refusal("::2", "nameserver"), refusal("::3", "nameserver")];
    expect(samples({ refusals }, "weave_gossip_refused_total").get("")).toBe(4);
    expect([...samples({ refusals }, "weave_gossip_refusing")]).toEqual([
      ['{channel="nameserver",code="DNS_CLOCK_SKEW"}', 2],
    ]);
  });
});
