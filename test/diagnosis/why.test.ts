import { describe, expect, test } from "bun:test";
import { parseCidr, tryParseIpv4 } from "../../lib/base/ip.ts";
import type { Facts } from "../../lib/diagnosis/facts.ts";
import type { FindingCode } from "../../lib/diagnosis/finding-kinds.ts";
import { explain } from "../../lib/diagnosis/why/explain.ts";
import type { Explanation } from "../../lib/diagnosis/why/explanation.ts";
import type { Question } from "../../lib/diagnosis/why/question.ts";
import {
  cluster,
  container,
  facts,
  filtered,
  other,
  self,
  withContainer,
  withHost,
  withLink,
  withMesh,
} from "./some-facts.ts";

const nowMs = 90_000;
const third = "00:00:00:00:00:03";
const second = {
  ...container,
  ident: "netns:green",
  guest: { ...container.guest!, mac: "0a:00:00:00:00:06" },
  held: [parseCidr("10.32.0.2/12")],
  addresses: [parseCidr("10.32.0.2/12")],
};

function ask(
  from: string,
  to?: string,
  given: Facts = facts,
  more: Partial<Question> = {},
): Explanation {
  const word = (text: string) => ({
    text,
    ident: /^netns:/.test(text) ? text : undefined,
  });
  return explain({
    facts: given,
    from: word(from),
    to: to === undefined ? undefined : word(to),
    names: [
      {
        hostname: "db.weave.local.",
        address: tryParseIpv4("10.44.0.1")!,
        ...{ containerId: "c9", origin: other },
      },
    ],
    macs: [{ mac: "0a:00:00:00:00:44", peer: other, lastSeenMs: nowMs - 3000 }],
    forwarding: [{ mac: "0a:00:00:00:00:44", port: "vethwe-bridge" }],
    exposed: [parseCidr("10.32.0.100/12")],
    ranges: [
      { first: tryParseIpv4("10.32.0.0")!, size: 524_288, peer: self },
      { first: tryParseIpv4("10.40.0.0")!, size: 524_288, peer: other },
    ],
    ...more,
  });
}

function titles({ steps }: Explanation): string[] {
  return steps.map(({ title }) => title);
}

function detail({ steps }: Explanation, title: string, name: string): string | undefined {
  const step = steps.find((each) => each.title === title);
  return step?.details.find((each) => each.name === name)?.value;
}

describe("from a container to one of another host", () => {
  const answer = ask("netns:blue", "10.44.0.1");

  test("the first sentence answers", () => {
    expect(answer).toMatchObject({ from: "netns:blue", to: "10.44.0.1", verdict: "whole" });
    expect(answer.answer).toBe(
      "netns:blue to 10.44.0.1: nothing found in the way, by fastdp over 1 hop, packets up to 1376 octets",
    );
  });

  test("every step is told", () => {
    expect(titles(answer)).toEqual([
      "netns:blue",
      "bridge weave",
      "host1 → host2",
      "10.44.0.1",
      "names",
    ]);
    expect(detail(answer, "netns:blue", "route")).toBe("10.32.0.0/12 over ethwe");
    expect(detail(answer, "netns:blue", "neighbour")).toBe(
      "10.44.0.1 is at 0a:00:00:00:00:44 (reachable)",
    );
    expect(detail(answer, "bridge weave", "fdb")).toBe("0a:00:00:00:00:44 is behind vethwe-bridge");
    expect(detail(answer, "bridge weave", "macs")).toBe(
      `0a:00:00:00:00:44 lives at host2 (${other}), seen 3 s ago`,
    );
    expect(detail(answer, "host1 → host2", "cipher")).toBe("none, frames travel in clear");
    expect(detail(answer, "host1 → host2", "since")).toBe("1970-01-01T00:00:00Z, 1 min ago");
    expect(detail(answer, "10.44.0.1", "inside")).toBe(
      "cannot be seen from here; on host2 run: weave why 10.32.0.1 10.44.0.1",
    );
    expect(detail(answer, "names", "db.weave.local.")).toContain("10.44.0.1, registered by host2");
  });

  test("a name, short or full, means its address", () => {
    for (const name of ["db", "DB.weave.local", "db.weave.local."]) {
      expect(titles(ask("netns:blue", name))).toEqual(titles(answer));
    }
  });

  test("what is wrong on the way breaks it, and nothing else does", () => {
    const lost = ask("netns:blue", "10.44.0.1", withContainer({ routes: [] }));
    expect(lost.verdict).toBe("broken");
    expect(lost.answer).toContain(
      "broken, for netns:blue has 10.32.0.1/12 and no route to 10.32.0.0/12",
    );
    expect(detail(lost, "netns:blue", "route")).toBe("none to 10.44.0.1");
    const elsewhere = { ...facts, containers: [container, { ...second, routes: [] }] };
    expect(ask("netns:blue", "10.44.0.1", elsewhere).verdict).toBe("whole");
  });

  test("the filter of the host is part of it", () => {
    const drop = withHost({ firewall: filtered("-A OUTPUT -p udp --dport 6784 -j DROP") });
    const { findings } = ask("netns:blue", "10.44.0.1", drop);
    expect(findings.map(({ code }) => code)).toEqual(["FIREWALL_DROPS"]);
  });

  test("a slower overlay leaves it degraded, and says why", () => {
    const slow = withLink({
      ...{
        degraded: true,
        attributes: { name: "sleeve", mtu: 1438, encrypted: true, seal: "aes" },
      },
      reason: "sleeve: the peer acknowledges it; fastdp: no heartbeat gets through",
    });
    const answer = ask("netns:blue", "10.44.0.1", slow);
    expect(answer.verdict).toBe("degraded");
    expect(detail(answer, "host1 → host2", "cipher")).toBe("aes");
    expect(answer.findings[0]!.sentence).toBe(
      `frames to host2 (${other}) take sleeve: fastdp: no heartbeat gets through`,
    );
  });

  test("an address of another subnet is not reached", () => {
    const given = withContainer({ addresses: [parseCidr("10.32.0.1/24")], held: [] });
    const { findings } = ask("netns:blue", "10.44.0.1", {
      ...given,
      containers: [
        {
          ...given.containers[0]!,
          routes: [
            { destination: parseCidr("10.32.0.0/24"), gateway: undefined, interfaceIndex: 5 },
          ],
        },
      ],
    });
    expect(findings.map(({ code }) => code)).toEqual(["SUBNET_FOREIGN"]);
  });
});

describe("other ways", () => {
  test("between containers of one host stay on the bridge", () => {
    const both = { ...facts, containers: [container, second] };
    const answer = ask("netns:blue", "netns:green", both);
    expect(titles(answer)).toEqual(["netns:blue", "bridge weave", "netns:green"]);
    expect(answer.answer).toBe(
      "netns:blue to netns:green: nothing found in the way, within this host",
    );
  });

  test("from elsewhere to a container here end inside it", () => {
    expect(titles(ask("10.44.0.1", "netns:blue"))).toEqual([
      ...["10.44.0.1", "host2 → host1", "bridge weave", "netns:blue"],
    ]);
  });

  test("to a peer, or to an address alone, begin at this host's router", () => {
    expect(titles(ask("host2"))).toEqual(["host1 → host2"]);
    expect(titles(ask("192.168.77.2"))).toEqual(["host1 → host2"]);
    expect(ask("10.44.0.1").answer).toStartWith("host1 to 10.44.0.1: nothing found in the way");
  });

  test("of one container are its own affairs", () => {
    expect(titles(ask("netns:blue"))).toEqual(["netns:blue", "bridge weave"]);
    expect(titles(ask("10.32.0.1"))).toEqual(["netns:blue", "bridge weave"]);
    expect(titles(ask("weave:expose"))).toEqual(["bridge weave"]);
  });

  test("over a third host show every hop, and whose business the second is", () => {
    const [one, two] = cluster.mesh.peers;
    const link = (name: string) => ({
      ...{ name, nickname: "", address: "192.168.78.3:6783", established: true },
    });
    const line = withMesh({
      peers: [
        one!,
        { ...two!, connections: [...two!.connections, link(third)] },
        { name: third, nickname: "host3", connections: [link(other)] },
      ],
      unicastRoutes: [...cluster.mesh.unicastRoutes, { dest: third, via: other }],
    });
    const answer = ask("host3", undefined, line);
    expect(titles(answer)).toEqual(["host1 → host2", "host2 → host3"]);
    expect(answer.answer).toContain("over 2 hops");
    expect(detail(answer, "host2 → host3", "overlay")).toBe("known by host2 and host3 alone");
  });

  test("to a peer that nothing leads to say what stands in the way of a connection", () => {
    const peers = cluster.mesh.peers.map((peer) => ({
      ...peer,
      connections: peer.connections.map((each) => ({ ...each, established: false })),
    }));
    const pending = withMesh({
      peers,
      unicastRoutes: [{ dest: self, via: self }],
      connections: [{ ...cluster.mesh.connections[0]!, state: "pending" }],
    });
    const { verdict, findings } = ask("host2", undefined, pending);
    expect(verdict).toBe("broken");
    expect(findings.map(({ code }) => code)).toEqual(["LINK_PENDING", "PEER_UNREACHABLE"]);
  });
});

describe("a place that is none", () => {
  const cases: readonly [word: string, code: FindingCode, sentence: string][] = [
    [
      "nobody",
      "ADDRESS_UNKNOWN",
      "nobody is no container, address, peer or name that is known here",
    ],
    [
      "10.32.0.77",
      "ADDRESS_UNKNOWN",
      "10.32.0.77 is this host's to give out, and no container here has it",
    ],
    ["172.16.0.1", "ADDRESS_UNKNOWN", "nobody that is known here has 172.16.0.1"],
    ["netns:grey", "CONTAINER_DETACHED", "netns:grey is not attached"],
  ];
  for (const [word, code, sentence] of cases) {
    test(`is said to be none: ${word}`, () => {
      const { verdict, answer, findings } = ask("netns:blue", word);
      expect({ verdict, answer }).toEqual({ verdict: "broken", answer: sentence });
      expect(findings.map((each) => each.code)).toEqual([code]);
    });
  }

  test("tells of a host of that address to which no connection comes about", () => {
    const refused = { code: "DIAL", text: "connection refused" };
    const given = withLink({ address: "192.168.77.9:6783", state: "retrying", error: refused });
    const codes = (from: Facts) =>
      ask("192.168.77.9", undefined, from).findings.map((each) => each.code);
    expect(codes(given)).toContain("LINK_FAILED");
    const heard = { ...given.host, halfOpen: ["192.168.77.9"] };
    expect(codes({ ...given, host: heard })).toContain("LINK_ONE_WAY");
  });

  test("is no host that nothing leads to: who is heard and does not hear is named beside it", () => {
    const alone = withMesh({ unicastRoutes: [{ dest: self, via: self }], connections: [] });
    const given = { ...alone, host: { ...alone.host, halfOpen: ["192.168.77.2"] } };
    const cut = {
      ...given.cluster!.mesh,
      peers: given.cluster!.mesh.peers.map((peer) => ({ ...peer, connections: [] })),
    };
    const { findings } = ask("host2", undefined, {
      ...given,
      cluster: { ...given.cluster!, mesh: cut },
    });
    expect(findings.map(({ code }) => code)).toEqual(["LINK_ONE_WAY", "PEER_UNREACHABLE"]);
  });

  test("but an address that another peer gives out may be there", () => {
    const answer = ask("netns:blue", "10.44.0.77");
    expect(detail(answer, "10.44.0.77", "host")).toBe(
      `host2 (${other}): it gives this address out`,
    );
  });
});

describe("policies", () => {
  const verdict = {
    ...{ from: "shop/web", to: "shop/db", isAllowed: false },
    ...{ egress: "shop/web may send this", ingress: "no rule of shop/deny allows it" },
  };

  test("are a part of the way, with what decides at either end", () => {
    const { steps, verdict: whole } = ask("netns:blue", "netns:green", withSecond(), {
      policy: { ...verdict, isAllowed: true },
    });
    const step = steps.find(({ kind }) => kind === "policy");
    expect(step?.details.map(({ value }) => value)).toEqual([
      "shop/web may send this",
      "no rule of shop/deny allows it",
      "weave policy explain shop/web shop/db <port>",
    ]);
    expect(whole).toBe("whole");
  });

  test("that let no ping pass are said to be in the way, of which a port may know another", () => {
    const { findings } = ask("netns:blue", "netns:green", withSecond(), { policy: verdict });
    expect(findings.map(({ code }) => code)).toContain("POLICY_DENIES");
  });

  test("are no part of it where there are none", () => {
    const { steps } = ask("netns:blue", "netns:green", withSecond());
    expect(steps.map(({ kind }) => kind)).not.toContain("policy");
  });

  function withSecond(): Facts {
    return { ...facts, containers: [container, second] };
  }
});
