import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { WeaveError } from "../../../lib/base/errors.ts";
import { type HostIp, parseCidr, parseIpv4 } from "../../../lib/base/ip.ts";
import { parsePeerName } from "../../../lib/base/peer-name.ts";
import { attachContainer } from "../../../lib/host/attach.ts";
import { capturedMtu, prepareBridge } from "../../../lib/host/bridge.ts";
import { defaultDeviceNames as names } from "../../../lib/host/device-names.ts";
import {
  chooseBackends,
  Firewall,
  type FirewallBackends,
  removeFirewall,
} from "../../../lib/host/firewall/firewall.ts";
import { IptablesBackend } from "../../../lib/host/firewall/iptables-backend.ts";
import { NftablesBackend } from "../../../lib/host/firewall/nftables-backend.ts";
import { addAddress } from "../../../lib/host/netlink/address.ts";
import { findLink } from "../../../lib/host/netlink/link.ts";
import { openRoute } from "../../../lib/host/netlink/open.ts";
import { addRoute } from "../../../lib/host/netlink/route.ts";
import type { NetworkNamespace } from "../../../lib/host/netns.ts";
import { setSysctl } from "../../../lib/host/sysctl.ts";
import { awaitDatagram, cidrs, deliver, Laboratory, recordingLog, udpIn } from "../laboratory.ts";

const guarded = { ofLoopback: [6784], mesh: 6783, containerBridges: ["weave"] };
const exposed = [{ cidr: parseCidr("10.32.0.9/12"), masquerade: true }];
/** Checks until a backend that nothing tells of changes has looked. */
const checksMax = 5;

/**
 *   c1 10.32.0.1 ── [ weave 10.32.0.9 ] host 192.168.5.1 ─── outside 192.168.5.2
 *      fd32::1              fd32::9
 */
describe("the rules of a router", () => {
  const laboratory = new Laboratory("firewall");
  const log = recordingLog();
  let host: NetworkNamespace;
  let outside: NetworkNamespace;
  let c1: NetworkNamespace;

  beforeAll(() => {
    [host, outside, c1] = ["h", "out", "c1"].map((short) => laboratory.namespace(short)) as [
      NetworkNamespace,
      NetworkNamespace,
      NetworkNamespace,
    ];
    const ends = [
      { in: host, name: "eth0", address: "192.168.5.1/24" },
      { in: outside, name: "eth0", address: "192.168.5.2/24" },
    ] as const;
    laboratory.cable(...ends);
    using netlink = openRoute(host);
    host.run(() => {
      setSysctl("ipv4/ip_forward", 1);
      prepareBridge(netlink, { names, peer: parsePeerName("::1"), mtu: capturedMtu });
      const target = { ident: "c1", namespace: c1, bridgeName: "weave", log };
      attachContainer(target, { addresses: cidrs("10.32.0.1/12"), multicastRoute: false });
      const { index } = findLink(netlink, { name: "weave" })!;
      addAddress(netlink, index, exposed[0]!.cidr);
      addAddress(netlink, index, parseCidr("fd32::9/64"));
    });
    using guest = openRoute(c1);
    addAddress(guest, findLink(guest, { name: "ethwe" })!.index, parseCidr("fd32::1/64"));
    addRoute(guest, {
      destination: parseCidr("192.168.0.0/16"),
      interfaceIndex: findLink(guest, { name: "ethwe" })!.index,
      gateway: exposed[0]!.cidr.address,
    });
  });
  afterEach(() => {
    host.run(removeFirewall);
    expect(rules()).not.toMatch(/weave/i);
  });
  afterAll(() => laboratory.close());

  const run = (...words: string[]): string =>
    host.run(() => {
      const { stdout, exitCode, stderr } = Bun.spawnSync(words);
      if (exitCode !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
      return stdout.toString();
    });
  /** Without what is counted, and when it was asked. */
  const rules = () =>
    [
      ...["iptables-save", "iptables-legacy-save", "ip6tables-save", "ip6tables-legacy-save"].map(
        (program) => run(program),
      ),
      run("nft", "list", "ruleset"),
    ]
      .join("")
      .replace(/\[\d+:\d+\]|packets \d+ bytes \d+/g, "")
      .replace(/^#.*\n/gm, "");
  const sourceSeenOutside = () => deliver(c1, outside, "192.168.5.2", { timeoutMs: 200 });
  const meshReached = (any: HostIp = 0, to: HostIp = parseIpv4("10.32.0.9")): boolean => {
    const [server, client] = [udpIn(host, any, 6783), udpIn(c1, any)];
    try {
      const route = { from: 0, to, port: 6783, dontFragment: false };
      client.append(route, 0, Uint8Array.of(7), 1);
      client.flush(() => {});
      return awaitDatagram(server, 200) !== undefined;
    } finally {
      server.close();
      client.close();
    }
  };

  const everywhere = (program: string): FirewallBackends => ({
    own: new IptablesBackend({ program, onlyWhereFiltered: false }),
    ownIpv6: undefined,
    others: [],
  });
  for (const { name, backends, flush } of [
    {
      name: "nftables",
      backends: (): FirewallBackends => ({
        own: new NftablesBackend(4),
        ownIpv6: undefined,
        others: [],
      }),
      flush: ["nft", "flush", "chain", "ip", "weave", "postrouting"],
    },
    {
      name: "iptables (nf_tables)",
      backends: () => everywhere("iptables"),
      flush: ["iptables", "-t", "nat", "-F"],
    },
    {
      name: "iptables (legacy)",
      backends: () => everywhere("iptables-legacy"),
      flush: ["iptables-legacy", "-t", "nat", "-F"],
    },
  ]) {
    test(`let containers of some networks see who calls them, by ${name}`, () => {
      const firewall = host.run(
        () => new Firewall({ bridge: "weave", guarded, backends: backends() }),
      );
      using route = openRoute(outside);
      addRoute(route, {
        destination: parseCidr("10.32.0.0/12"),
        interfaceIndex: findLink(route, { name: "eth0" })!.index,
        gateway: parseCidr("192.168.5.1/24").address,
      });
      const callerSeen = () => deliver(outside, c1, "10.32.0.1");
      host.run(() => firewall.apply(exposed));
      expect(callerSeen()).toBe("10.32.0.9");
      host.run(() => firewall.apply(exposed, cidrs("10.40.0.0/16", "10.32.0.0/16")));
      expect(callerSeen()).toBe("192.168.5.2");
      expect(sourceSeenOutside()).toBe("192.168.5.1");
      host.run(() => firewall.apply(exposed, cidrs("10.40.0.0/16")));
      expect(callerSeen()).toBe("10.32.0.9");
    });

    test(`are in force by ${name}, come back when they are flushed, and go`, () => {
      const firewall = host.run(
        () => new Firewall({ bridge: "weave", guarded, backends: backends() }),
      );
      expect(sourceSeenOutside()).toBe("10.32.0.1");
      expect(meshReached()).toBe(true);
      host.run(() => firewall.apply(exposed));
      expect(firewall.inUse).toEqual([name]);
      expect(sourceSeenOutside()).toBe("192.168.5.1");
      expect(meshReached()).toBe(false);
      const inForce = rules();
      run(...flush);
      expect(rules()).not.toBe(inForce);
      for (let check = 0; check < checksMax; check++) host.run(() => firewall.mend());
      expect(rules()).toBe(inForce);
      host.run(() => firewall.apply([]));
      expect(meshReached()).toBe(false);
      host.run(removeFirewall);
      expect(meshReached()).toBe(true);
    });
  }

  const meshReachedByIpv6 = () => meshReached("::", "fd32::9");
  for (const { name, ownIpv6, flush } of [
    {
      name: "nftables",
      ownIpv6: new NftablesBackend(6),
      flush: ["nft", "delete", "table", "ip6", "weave"],
    },
    ...["ip6tables", "ip6tables-legacy"].map((program) => ({
      name: `ip6tables (${program === "ip6tables" ? "nf_tables" : "legacy"})`,
      ownIpv6: new IptablesBackend({ program, onlyWhereFiltered: false }),
      flush: [program, "-F", "INPUT"],
    })),
  ]) {
    test(`keep containers from the mesh by IPv6 as well, by ${name}`, () => {
      const backends = { own: undefined, ownIpv6, others: [] };
      const firewall = host.run(() => new Firewall({ bridge: "weave", guarded, backends, log }));
      expect(meshReachedByIpv6()).toBe(true);
      host.run(() => firewall.apply([]));
      expect(firewall.inUse).toEqual([name]);
      expect(meshReachedByIpv6()).toBe(false);
      const inForce = rules();
      run(...flush);
      expect(meshReachedByIpv6()).toBe(true);
      for (let check = 0; check < checksMax; check++) host.run(() => firewall.mend());
      expect(meshReachedByIpv6()).toBe(false);
      expect(rules()).toBe(inForce);
      host.run(removeFirewall);
      expect(meshReachedByIpv6()).toBe(true);
    });
  }

  test("of IPv4 are put in place where those of IPv6 cannot be, and it is said why", () => {
    const refusing = {
      name: "a filter",
      apply() {
        throw new WeaveError("IPTABLES_FAILED", "this kernel filters no IPv6");
      },
      mend: () => false,
    };
    const backends = { own: new NftablesBackend(4), ownIpv6: refusing, others: [] };
    const firewall = host.run(() => new Firewall({ bridge: "weave", guarded, backends, log }));
    for (let round = 0; round < 2; round++) host.run(() => firewall.apply(exposed));
    expect(firewall.inUse).toEqual(["nftables"]);
    expect(meshReached()).toBe(false);
    const said = log.lines.filter((line) => line === "warn this kernel filters no IPv6");
    expect(said).toHaveLength(1);
  });

  for (const program of ["iptables", "iptables-legacy"]) {
    test(`let the overlay pass where ${program} drops what is forwarded, and nowhere else`, () => {
      const firewall = host.run(
        () => new Firewall({ bridge: "weave", backends: chooseBackends(), log }),
      );
      host.run(() => firewall.apply(exposed));
      expect(firewall.inUse).toEqual(["nftables"]);
      expect(sourceSeenOutside()).toBe("192.168.5.1");
      run(program, "-P", "FORWARD", "DROP");
      try {
        for (let check = 0; check < checksMax; check++) host.run(() => firewall.mend());
        expect(firewall.inUse).toHaveLength(2);
        expect(sourceSeenOutside()).toBe("192.168.5.1");
        run(program, "-I", "FORWARD", "-j", "DROP");
        for (let check = 0; check < checksMax; check++) host.run(() => firewall.mend());
        expect(sourceSeenOutside()).toBe("192.168.5.1");
      } finally {
        run(program, "-F", "FORWARD");
        run(program, "-P", "FORWARD", "ACCEPT");
      }
    });
  }

  test("are refused on a host that can hold none, but only when they are needed", () => {
    const backends = { own: undefined, ownIpv6: undefined, others: [] };
    const firewall = new Firewall({ bridge: "weave", guarded, backends });
    firewall.apply([]);
    expect(() => firewall.apply(exposed)).toThrow(
      expect.objectContaining({ code: "FIREWALL_NONE" }),
    );
  });
});
