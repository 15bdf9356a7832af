import { describe, expect, test } from "bun:test";
import { parseCidr, parseIp } from "../../lib/base/ip.ts";
import { diagnose } from "../../lib/diagnosis/doctor/diagnosis.ts";
import { examine } from "../../lib/diagnosis/doctor/doctor.ts";
import type { Facts } from "../../lib/diagnosis/facts.ts";
import type { FindingCode } from "../../lib/diagnosis/finding-kinds.ts";
import { findingKinds } from "../../lib/diagnosis/finding-kinds.ts";
import {
  bridge,
  byIpv6,
  cluster,
  container,
  eth0,
  facts,
  filtered,
  filteredBy,
  link,
  other,
  self,
  withContainer,
  withHost,
  withIpam,
  withLink,
  withMesh,
} from "./some-facts.ts";

const error = (code: string, text: string) => ({ code, text, remedy: "see there" });
const none = { frames: 0, lost: 0 };
const lost = (frames: number, lost: number) => ({ recent: { to: { frames, lost }, from: none } });
const stopped: Facts["setup"] = { ...facts.setup, isRunning: false };
const { cluster: _, ...withoutRouter } = facts;
const at = (address: string, mac: string, state: "permanent" | "failed" | "reachable") => ({
  ageMs: 0,
  ...{ address: parseIp(address), mac, state },
});
const second = {
  ...container,
  ident: "netns:green",
  guest: { ...container.guest!, mac: "0a:00:00:00:00:06" },
  held: [parseCidr("10.32.0.2/12")],
  addresses: [parseCidr("10.32.0.2/12")],
};

const policyCodes: readonly FindingCode[] = [
  ...(["POLICY_NOT_ENFORCED", "POLICY_WAITING"] as const),
  ...(["POLICY_UNREADABLE", "POLICY_HOST_IDLE", "POLICY_STANDING"] as const),
];

const noTrouble = { awaited: [], faults: [], idle: [], blocked: [] };
const blocked = {
  ...{ policy: "shop/deny", text: "TCP connection from 10.32.0.1:4000 to 10.32.0.2:80" },
  ...{ from: "10.32.0.1", to: "10.32.0.2", port: "80/tcp", count: 3 },
};

/** Facts, what is found in them, and the commands that mend it. */
const cases: ReadonlyArray<
  readonly [what: string, facts: Facts, code: FindingCode, commands: readonly string[]]
> = [
  [
    "no router and no state",
    { ...withoutRouter, setup: { ...stopped, hasState: false } },
    "ROUTER_ABSENT",
    ["weave launch"],
  ],
  [
    "no router, but state",
    { ...withoutRouter, setup: stopped },
    "ROUTER_STOPPED",
    ["weave launch --resume"],
  ],
  [
    "a router that hangs",
    { ...withoutRouter, setup: { ...stopped, isSilent: true } },
    "ROUTER_SILENT",
    ["weave logs", "weave stop", "weave launch --resume"],
  ],
  [
    "a device of the bridge's name",
    withHost({ devices: [eth0, { ...bridge, kind: "dummy" }] }),
    "BRIDGE_FOREIGN",
    ["ip link delete dev weave"],
  ],
  [
    "the original's wiring",
    withHost({ devices: [eth0, { ...bridge, kind: "openvswitch" }] }),
    "BRIDGE_FOREIGN",
    ["ovs-dpctl del-dp weave"],
  ],
  [
    "a bridge that is down",
    withHost({ devices: [eth0, { ...bridge, up: false }] }),
    "BRIDGE_DOWN",
    ["ip link set dev weave up"],
  ],
  [
    "a port of another's",
    withHost({ sockets: [{ protocol: "udp", port: 6784, owner: { pid: 7, name: "nc" } }] }),
    "PORT_TAKEN",
    ["kill 7"],
  ],
  [
    "a port of the kernel's",
    withHost({ sockets: [{ protocol: "udp", port: 6784, owner: undefined }] }),
    "PORT_TAKEN",
    [],
  ],
  [
    "a filter before the router",
    withHost({ firewall: filtered("-A INPUT -p tcp --dport 6783 -j DROP") }),
    "FIREWALL_DROPS",
    ["iptables -I INPUT -p tcp --dport 6783 -j ACCEPT"],
  ],
  [
    "a filter behind the router",
    withHost({ firewall: filtered("-A OUTPUT -p udp --dport 6783 -j DROP") }),
    "FIREWALL_DROPS",
    ["iptables -I OUTPUT -p udp --dport 6783 -j ACCEPT"],
  ],
  [
    "a filter of IPv6 before a router that is reached so",
    byIpv6(filteredBy("ip6tables", "-A INPUT -p udp --dport 6783 -j DROP")),
    "FIREWALL_DROPS",
    ["ip6tables -I INPUT -p udp --dport 6783 -j ACCEPT"],
  ],
  [
    "a filter with a condition",
    withHost({
      firewall: filtered("-A INPUT -p udp --dport 6784 -m length --length 1401:65535 -j DROP"),
    }),
    "FIREWALL_MAY_DROP",
    [],
  ],
  [
    "a filter within the bridge",
    withHost({ firewall: filtered(":FORWARD DROP [0:0]") }),
    "FORWARD_DROPS",
    ["iptables -I FORWARD -i weave -o weave -j ACCEPT"],
  ],
  [
    "a route to containers elsewhere",
    withHost({
      routes: [
        {
          destination: parseCidr("10.40.0.0/16"),
          gateway: parseIp("192.168.77.9"),
          interfaceIndex: 2,
        },
      ],
    }),
    "ROUTE_OVERLAP",
    ["ip route delete 10.40.0.0/16 via 192.168.77.9 dev eth0"],
  ],
  [
    "a device too small for VXLAN",
    {
      ...withLink({ degraded: true, attributes: { name: "sleeve", mtu: 1338 } }),
      host: { ...facts.host, devices: [{ ...eth0, mtu: 1400 }, bridge] },
    },
    "UNDERLAY_MTU",
    ["ip link set dev eth0 mtu 1500"],
  ],
  [
    "a kernel without datapath",
    withHost({ datapath: { backend: undefined, refusals: new Map([["ebpf", "too old"]]) } }),
    "DATAPATH_NONE",
    [],
  ],
  [
    "a machine without id",
    withHost({ hasMachineId: false }),
    "MACHINE_ID_MISSING",
    ["systemd-machine-id-setup"],
  ],
  [
    "something that cannot be seen",
    withHost({ unexamined: [{ what: "routes", why: "no" }] }),
    "UNEXAMINED",
    [],
  ],
  [
    "another host of our name",
    withLink({ state: "failed", error: error("NAME_COLLISION", "names collision") }),
    "NAME_COLLISION",
    ["weave stop", "weave launch --resume --name 02:00:00:00:00:77"],
  ],
  [
    "two peers of one nickname",
    withMesh({ peers: cluster.mesh.peers.map((peer) => ({ ...peer, nickname: "twin" })) }),
    "NICKNAME_SHARED",
    [],
  ],
  [
    "a host that does not answer",
    withLink({ state: "retrying", error: error("DIAL", "timed out") }),
    "LINK_FAILED",
    ["weave forget 192.168.77.2"],
  ],
  [
    "a host that is heard and does not hear",
    {
      ...withLink({ state: "retrying", error: error("DIAL", "timed out") }),
      host: { ...facts.host, halfOpen: ["192.168.77.2"] },
    },
    "LINK_ONE_WAY",
    ["ip route get 192.168.77.2", "tracepath -n 192.168.77.2"],
  ],
  [
    "hosts that are heard and do not hear, whom nobody asked for",
    withHost({ halfOpen: ["192.168.77.2", "192.168.77.3"] }),
    "LINK_ONE_WAY",
    ["ip route get 192.168.77.3", "tracepath -n 192.168.77.3"],
  ],
  ["a peer without UDP", withLink({ state: "pending" }), "LINK_PENDING", []],
  [
    "a peer by a slower overlay",
    withLink({
      degraded: true,
      attributes: { name: "sleeve", mtu: 1438 },
      reason: "sleeve: well; fastdp: no heartbeat",
    }),
    "LINK_DEGRADED",
    [],
  ],
  [
    "a link that loses frames",
    withLink({ loss: lost(1000, 11) }),
    "LINK_LOSES",
    ["ip -s link show dev eth0"],
  ],
  [
    "a path that shrinks",
    withLink({ attributes: { name: "sleeve", mtu: 1238 } }),
    "PATH_MTU_SMALL",
    ["tracepath -n 192.168.77.2"],
  ],
  [
    "a peer that nothing leads to",
    withMesh({ unicastRoutes: [{ dest: self, via: self }], connections: [] }),
    "PEER_UNREACHABLE",
    ["weave connect 192.168.77.2"],
  ],
  [
    "a peer of another range",
    withIpam({
      conflicts: [
        {
          peer: other,
          code: "IPAM_RING_RANGE",
          message: "ranges (received: 10.9.0.0/16, ours: 10.32.0.0/12)",
          remedy: undefined,
        },
      ],
    }),
    "RANGE_DIFFERS",
    ["weave reset", "weave launch --ipalloc-range 10.9.0.0/16 192.168.77.2"],
  ],
  [
    "a peer of another ring",
    withIpam({
      conflicts: [{ peer: other, code: "IPAM_RING_CONFLICT", message: "no", remedy: undefined }],
    }),
    "RING_CONFLICT",
    ["weave reset", "weave launch 192.168.77.2"],
  ],
  [
    "a peer of another ring whose connection does not come about",
    {
      ...facts,
      cluster: {
        ...withMesh({ connections: [], targets: ["192.168.77.2:7000", "host3"] }).cluster!,
        ipam: withIpam({
          conflicts: [
            { peer: other, code: "IPAM_RING_CONFLICT", message: "no", remedy: undefined },
          ],
        }).cluster!.ipam,
      },
    },
    "RING_CONFLICT",
    ["weave reset", "weave launch 192.168.77.2:7000 host3"],
  ],
  [
    "an owner that is gone",
    withIpam({
      owners: [{ peer: "00:00:00:00:00:09", nickname: "host9", addresses: 16, isKnown: false }],
    }),
    "OWNER_GONE",
    ["weave rmpeer host9"],
  ],
  ["no majority", withIpam({ mayAllocate: false }), "LEASE_LOST", []],
  ["no quorum", withIpam({ election: { knownNodes: 1, quorum: 2 } }), "NO_QUORUM", []],
  ["a full disk", withIpam({ storeError: "disk full" }), "STATE_UNSAVED", []],
  [
    "a clock that is off",
    withMesh({
      refusals: [{ channel: "nameserver", peer: other, error: error("DNS_CLOCK_SKEW", "clock") }],
    }),
    "CLOCK_SKEW",
    ["timedatectl set-ntp true"],
  ],
  [
    "a neighbour's clock that is off",
    withLink({ clockOffsetMs: -31_000 }),
    "CLOCK_OFF",
    ["timedatectl set-ntp true"],
  ],
  [
    "a clock of which names will soon be refused",
    withLink({ clockOffsetMs: 601_000 }),
    "CLOCK_SKEW",
    ["timedatectl set-ntp true"],
  ],
  [
    "a payload that is refused",
    withMesh({ refusals: [{ channel: "topology", peer: other, error: error("GOB", "bad") }] }),
    "REFUSED",
    ["weave why host2"],
  ],
  [
    "a container without interface",
    withContainer({ port: undefined, guest: undefined, addresses: [] }),
    "CONTAINER_DETACHED",
    ["weave attach netns:blue"],
  ],
  [
    "a container engine that has gone",
    { ...facts, engine: { endpoint: "unix:///d.sock", message: "it has gone", remedy: "" } },
    "ENGINE_UNHEARD",
    [],
  ],
  [
    "a container of the engine whose command waits",
    { ...facts, waiting: [{ name: "web", seconds: 40, reason: "it has no address", remedy: "" }] },
    "CONTAINER_WAITS",
    [],
  ],
  [
    "an interface that is down",
    withContainer({ guest: { ...container.guest!, up: false } }),
    "INTERFACE_DOWN",
    ["ip -n blue link set dev ethwe up"],
  ],
  [
    "a port that is down",
    withContainer({ port: { ...container.port!, up: false } }),
    "INTERFACE_DOWN",
    ["ip link set dev vethwl1 up"],
  ],
  [
    "an address that is missing",
    withContainer({ held: [...container.held, parseCidr("10.32.0.9/12")] }),
    "ADDRESS_MISSING",
    ["ip -n blue addr add 10.32.0.9/12 dev ethwe"],
  ],
  [
    "an address of two",
    { ...facts, containers: [container, { ...second, held: [], addresses: container.addresses }] },
    "ADDRESS_DOUBLE",
    ["ip -n blue addr delete 10.32.0.1/12 dev ethwe"],
  ],
  [
    "a route that is missing",
    withContainer({ routes: [] }),
    "ROUTE_MISSING",
    ["ip -n blue route replace 10.32.0.0/12 dev ethwe scope link src 10.32.0.1"],
  ],
  [
    "frames that are too large",
    withContainer({ guest: { ...container.guest!, mtu: 1500 } }),
    "MTU_TOO_LARGE",
    ["ip -n blue link set dev ethwe mtu 1376"],
  ],
  [
    "a wrong neighbour entry",
    {
      ...facts,
      containers: [
        { ...container, neighbours: [at("10.32.0.2", "02:00:00:00:00:99", "reachable")] },
        second,
      ],
    },
    "NEIGHBOUR_WRONG",
    ["ip -n blue neigh delete 10.32.0.2 dev ethwe"],
  ],
  [
    "a neighbour entry for ever",
    withContainer({ neighbours: [at("10.44.0.1", "02:00:00:00:00:99", "permanent")] }),
    "NEIGHBOUR_FIXED",
    ["ip -n blue neigh delete 10.44.0.1 dev ethwe"],
  ],
  [
    "a neighbour that is silent",
    withContainer({ neighbours: [at("10.44.0.1", "", "failed")] }),
    "NEIGHBOUR_SILENT",
    ["ip -n blue neigh delete 10.44.0.1 dev ethwe"],
  ],
  ...(
    [
      ["a packet filter that takes no policies", { trouble: { text: "no", remedy: "load it" } }],
      ["a cluster that does not tell its policies", { awaited: ["pods"] }],
      ["a policy with something unknown in it", { faults: ["shop/web: spec.colour"] }],
      ["a host that enforces nothing", { idle: ["host2"] }],
      ["connections that should end", { standing: { text: "go on", remedy: "load it" } }],
    ] as const
  ).map(([what, part], at): (typeof cases)[number] => [
    what,
    { ...facts, policy: { ...noTrouble, ...part } },
    policyCodes[at]!,
    [],
  ]),
  [
    "a policy that blocks",
    { ...facts, policy: { ...noTrouble, blocked: [blocked] } },
    "POLICY_BLOCKS",
    ["weave policy explain 10.32.0.1 10.32.0.2 80/tcp"],
  ],
];

describe("doctor", () => {
  test("finds nothing where all is in order, and says what it looked at", () => {
    expect(diagnose(facts)).toEqual({
      examined: { router: "host1", links: 1, peers: 2, containers: 1 },
      findings: [],
    });
  });

  for (const [what, given, code, commands] of cases) {
    test(`finds ${what}: ${code}`, () => {
      const found = examine(given).filter((each) => each.code === code);
      expect(found.map((each) => each.commands)).toEqual([[...commands]]);
      expect(found[0]!.severity).toBe(findingKinds[code].severity);
    });
  }

  test("finds nothing where hosts reach each other by IPv6, and rules are of IPv4", () => {
    expect(examine(byIpv6())).toEqual([]);
    const firewall = filtered("-A INPUT -p udp --dport 6783 -j DROP");
    expect(examine(byIpv6(firewall))).toEqual([]);
    const narrow = { ...byIpv6().host, devices: [{ ...eth0, mtu: 1400 }, bridge] };
    expect(examine({ ...byIpv6(), host: narrow })).toEqual([]);
  });

  test("looks for no rules of IPv6 between hosts that reach each other by IPv4", () => {
    const firewall = filteredBy("ip6tables", "-A INPUT -p udp -j DROP");
    expect(examine(withHost({ firewall }))).toEqual([]);
  });

  test("does not take an address of a family in which nobody is reached for a fault, unless it was asked for", () => {
    const unreachable = error("TCP_ENETUNREACH", "network is unreachable");
    const address = "[fd77::3]:6783";
    const { connections } = cluster.mesh;
    const failed = { address, state: "failed", info: "", error: unreachable };
    const given = { connections: [...connections, failed] };
    expect(examine(withMesh(given))).toEqual([]);
    const asked = examine(withMesh({ ...given, targets: ["fd77::3"] }));
    expect(asked).toMatchObject([{ code: "LINK_FAILED", commands: ["weave forget fd77::3"] }]);
  });

  test("says nothing of the overlay of a link that has had it for a moment only", () => {
    const sleeve = { degraded: true, attributes: { name: "sleeve", mtu: 1238 }, reason: "sleeve" };
    expect(examine(withLink({ ...sleeve, sinceMs: 86_000 }))).toEqual([]);
    const codes = examine(withLink({ ...sleeve, sinceMs: 84_000 })).map(({ code }) => code);
    expect(codes).toEqual(["PATH_MTU_SMALL", "LINK_DEGRADED"]);
  });

  test("says which way frames get lost, and nothing of a few", () => {
    const both = { recent: { to: { frames: 2000, lost: 50 }, from: { frames: 1000, lost: 500 } } };
    expect(examine(withLink({ loss: both }))).toMatchObject([
      {
        sentence:
          "2.5 % of 2000 frames to host2 (00:00:00:00:00:02) and 50 % of 1000 frames from host2 (00:00:00:00:00:02) got lost within the last minute",
      },
    ]);
    expect(examine(withLink({ loss: lost(1000, 10) }))).toEqual([]);
    expect(examine(withLink({ loss: lost(999, 999) }))).toEqual([]);
  });

  test("forgives a neighbour that was silent a while ago", () => {
    const silent = { ...at("10.44.0.1", "", "failed"), ageMs: 60_000 };
    expect(examine(withContainer({ neighbours: [silent] }))).toEqual([]);
  });

  test("puts the worst first and says everything once", () => {
    const both = withLink({ state: "pending" });
    const found = examine({ ...both, host: { ...facts.host, hasMachineId: false } });
    expect(found.map(({ severity }) => severity)).toEqual(["error", "note"]);
    const drop = filtered("-A INPUT -j DROP");
    const { sentence } = examine(withHost({ firewall: drop }))[0]!;
    expect(sentence).toBe(
      "the rule '-A INPUT -j DROP' in iptables (filter) drops TCP 6783 from 192.168.77.2",
    );
  });

  test("asks for no datapath that the operator switched off, and for none of its ports", () => {
    const datapath = { backend: undefined, refusals: new Map([["fastdp", "switched off"]]) };
    const firewall = filtered("-A INPUT -p udp --dport 6784 -j DROP");
    const given = withHost({ datapath, firewall });
    const setup = { ...facts.setup, wantsFastdp: false };
    expect(examine({ ...given, setup })).toEqual([]);
  });

  test("writes words as a shell reads them back", () => {
    const odd = withContainer({ namespacePath: "/var/run/it's here/ns", routes: [] });
    expect(examine(odd)[0]!.commands[0]).toStartWith(
      "nsenter '--net=/var/run/it'\\''s here/ns' ip route replace",
    );
  });

  test("knows a case for every code but those of `why`", () => {
    const ofWhy = ["ADDRESS_UNKNOWN", "POLICY_DENIES", "SUBNET_FOREIGN"];
    const elsewhere = ["IPTABLES_MIXED"];
    const tested = cases.map(([, , code]) => code);
    const untested = Object.keys(findingKinds).filter(
      (code) => ![...tested, ...ofWhy, ...elsewhere].includes(code),
    );
    expect(untested).toEqual([]);
  });
});

describe("clocks", () => {
  const clocks = (...offsetsS: readonly number[]) =>
    offsetsS.map((each, at) => ({
      ...link,
      peer: { name: `00:00:00:00:00:0${at + 2}`, nickname: `host${at + 2}` },
      clockOffsetMs: each * 1000,
    }));
  const found = (...offsetsS: readonly number[]) =>
    examine(withMesh({ connections: clocks(...offsetsS) })).map(({ code, sentence }) => [
      code,
      sentence,
    ]);

  test("that are not off by much are nothing to speak of", () => {
    expect(found(0, 29, -29)).toEqual([]);
  });

  test("of neighbours are told of with how far they are off", () => {
    expect(found(0, 45, 0, -3600)).toEqual([
      [
        "CLOCK_SKEW",
        "the clock of host5 (00:00:00:00:00:05) is 60 min behind that of this host: names are refused from 15 min on",
      ],
      ["CLOCK_OFF", "the clock of host3 (00:00:00:00:00:03) is 45 s ahead of that of this host"],
    ]);
  });

  test("of most neighbours off to one side mean that it is this host's that is wrong", () => {
    expect(found(0, -50, -52, -49)).toEqual([
      ["CLOCK_OFF", "the clock of this host is 50 s ahead of those of 3 of 4 neighbours"],
    ]);
    expect(found(50, -50)).toHaveLength(2);
  });

  test("for which names are refused are told of once", () => {
    const refusals = [
      { channel: "nameserver", peer: other, error: error("DNS_CLOCK_SKEW", "skew") },
    ];
    expect(
      examine(withMesh({ refusals, connections: clocks(1000) })).map(({ code }) => code),
    ).toEqual(["CLOCK_SKEW"]);
  });
});
