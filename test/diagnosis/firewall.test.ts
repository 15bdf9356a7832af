import { describe, expect, test } from "bun:test";
import { parseIp } from "../../lib/base/ip.ts";
import { parseIptablesSave } from "../../lib/diagnosis/firewall/iptables-save.ts";
import { parseNftRuleset } from "../../lib/diagnosis/firewall/nft-json.ts";
import { dropsOf, type FilteredPacket } from "../../lib/diagnosis/firewall/verdict.ts";

const vxlanIn: FilteredPacket = {
  hook: "input",
  protocol: "udp",
  destinationPort: 6784,
  source: parseIp("192.168.77.2"),
  inInterface: "eth0",
};

/** What becomes of VXLAN packets under rules of the filter table. */
function iptables(rules: readonly string[], packet: FilteredPacket = vxlanIn): string[] {
  const text = ["*filter", ":INPUT ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ...rules, "COMMIT"];
  return shown(parseIptablesSave(text.join("\n"), "iptables"), packet);
}

function shown(tables: Parameters<typeof dropsOf>[0], packet: FilteredPacket): string[] {
  return dropsOf(tables, packet).map(
    ({ rule, chain, isCertain }) => `${isCertain ? "drops" : "may"}: ${rule?.text ?? chain.name}`,
  );
}

describe("rules of iptables", () => {
  const cases: readonly [what: string, rules: readonly string[], drops: readonly string[]][] = [
    ["none", [], []],
    [
      "a drop of the port",
      ["-A INPUT -p udp -m udp --dport 6784 -j DROP"],
      ["drops: -A INPUT -p udp -m udp --dport 6784 -j DROP"],
    ],
    ["a drop of another port", ["-A INPUT -p udp -m udp --dport 6785 -j DROP"], []],
    ["a drop of another protocol", ["-A INPUT -p tcp -m tcp --dport 6784 -j DROP"], []],
    [
      "an accept before the drop",
      ["-A INPUT -p udp -m multiport --dports 53,6783:6784 -j ACCEPT", "-A INPUT -j DROP"],
      [],
    ],
    [
      "a reject of a range",
      ["-A INPUT -p udp --dport 6000:7000 -j REJECT --reject-with x"],
      ["drops: -A INPUT -p udp --dport 6000:7000 -j REJECT --reject-with x"],
    ],
    ["a drop of another source", ["-A INPUT -s 10.0.0.0/8 -j DROP"], []],
    ["a drop of all but the source", ["-A INPUT ! -s 192.168.77.0/24 -j DROP"], []],
    ["a drop at another device", ["-A INPUT -i docker+ -j DROP"], []],
    [
      "only what is established",
      ["-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j DROP"],
      [],
    ],
    [
      "a chain of somebody's own",
      [":mine - [0:0]", "-A INPUT -i eth+ -j mine", "-A mine -p udp -j DROP"],
      ["drops: -A mine -p udp -j DROP"],
    ],
    [
      "a return from that chain",
      [":mine - [0:0]", "-A INPUT -j mine", "-A mine -p udp -j RETURN", "-A mine -j DROP"],
      [],
    ],
    [
      "a condition on the length",
      ["-A INPUT -p udp --dport 6784 -m length --length 1401:65535 -j DROP"],
      ["may: -A INPUT -p udp --dport 6784 -m length --length 1401:65535 -j DROP"],
    ],
    [
      "an accept that may come before",
      ["-A INPUT -m set --match-set peers src -j ACCEPT", "-A INPUT -j DROP"],
      ["may: -A INPUT -j DROP"],
    ],
    ["a note in the log", ['-A INPUT -j LOG --log-prefix "all: "'], []],
  ];
  for (const [what, rules, drops] of cases) {
    test(`${what}: ${drops.length === 0 ? "passes" : drops[0]!.split(":")[0]}`, () => {
      expect(iptables(rules)).toEqual([...drops]);
    });
  }

  test("end with the policy of the chain", () => {
    expect(iptables([":INPUT DROP [0:0]"])).toEqual(["drops: INPUT"]);
    expect(iptables([":INPUT DROP [0:0]", "-A INPUT -p udp -j ACCEPT"])).toEqual([]);
  });

  test("that lead in a circle come to an end", () => {
    const circle = [":a - [0:0]", ":b - [0:0]", "-A INPUT -j a", "-A a -j b", "-A b -j a"];
    expect(iptables(circle)).toEqual([]);
  });
});

describe("rules of nftables", () => {
  const table = { family: "inet", table: "fw" };
  const chain = (policy: string) => ({
    chain: { ...table, name: "input", type: "filter", hook: "input", prio: 0, policy },
  });
  const rule = (...expr: object[]) => ({
    rule: { ...table, chain: "input", handle: 6, expr },
  });
  const match = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
  const dport = { payload: { protocol: "udp", field: "dport" } };
  const nft = (...items: object[]): string[] =>
    shown(
      parseNftRuleset(
        JSON.stringify({ nftables: [{ table: { family: "inet", name: "fw" } }, ...items] }),
      ),
      vxlanIn,
    );

  test("are read as libnftables writes them", () => {
    const saddr = { payload: { protocol: "ip", field: "saddr" } };
    const network = { prefix: { addr: "192.168.0.0", len: 16 } };
    const drop = rule(match(saddr, network), match(dport, { range: [6783, 6784] }), { drop: null });
    expect(nft(chain("accept"), drop)).toEqual(["drops: handle 6"]);
    expect(nft(chain("accept"), rule(match(dport, { set: [22, 6784] }), { drop: null }))).toEqual([
      "drops: handle 6",
    ]);
    expect(nft(chain("accept"), rule(match(dport, 6784, "!="), { drop: null }))).toEqual([]);
  });

  test("pass what an accept names, and drop the rest by the policy", () => {
    const state = match({ ct: { key: "state" } }, ["established", "related"], "in");
    expect(nft(chain("drop"), rule(state, { accept: null }))).toEqual(["drops: input"]);
    const lo = rule(match({ meta: { key: "iifname" } }, "lo"), { accept: null });
    expect(nft(chain("drop"), lo)).toEqual(["drops: input"]);
    expect(nft(chain("drop"), rule(match(dport, 6784), { accept: null }))).toEqual([]);
  });

  test("with what is not known here may match", () => {
    const named = rule(match(dport, "@ports"), { drop: null });
    expect(nft(chain("accept"), named)).toEqual(["may: handle 6"]);
    const limited = rule(match(dport, 6784), { limit: { rate: 1 } }, { drop: null });
    expect(nft(chain("accept"), limited)).toEqual(["may: handle 6"]);
    const mapped = rule({ vmap: { key: { ct: { key: "state" } }, data: {} } });
    expect(nft(chain("drop"), mapped)).toEqual(["may: input"]);
  });

  test("are of a family, or of both", () => {
    const drops = (family: string, packet: FilteredPacket) => {
      const named = { family, table: "fw" };
      const items = [
        { table: { family, name: "fw" } },
        { chain: { ...chain("accept").chain, ...named } },
        { rule: { ...rule(match(dport, 6784), { drop: null }).rule, ...named } },
      ];
      return shown(parseNftRuleset(JSON.stringify({ nftables: items })), packet).length;
    };
    const byIpv6 = { ...vxlanIn, source: parseIp("fd77::2") };
    const families = ["ip", "ip6", "inet", "bridge"];
    expect(families.map((family) => drops(family, vxlanIn))).toEqual([1, 0, 1, 0]);
    expect(families.map((family) => drops(family, byIpv6))).toEqual([0, 1, 1, 0]);
  });

  test("of iptables are left to iptables-save", () => {
    const items = JSON.stringify({
      nftables: [
        { table: { family: "ip", name: "filter" } },
        { chain: { family: "ip", table: "filter", name: "INPUT", hook: "input", policy: "drop" } },
      ],
    });
    expect(shown(parseNftRuleset(items), vxlanIn)).toEqual([]);
  });
});
