import { formatIp, type IpAddress, tryParseIp } from "../../base/ip.ts";
import type { Facts } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { type Drop, dropsOf, type FilteredPacket } from "../firewall/verdict.ts";
import { shellLine } from "../shell-words.ts";

/** Peers of which each is judged by itself; beyond, rules are seen by those before. */
const remotesMax = 64;

/** Whether the filters of this host let routers and containers talk. */
export function checkFirewall(facts: Facts): Finding[] {
  return [...betweenRouters(facts), ...betweenContainers(facts), ...mixedTools(facts)];
}

/** Everything that a router receives and sends, to and from each peer that is known here. */
function betweenRouters(facts: Facts): Finding[] {
  const paths = facts.cluster?.paths.slice(0, remotesMax) ?? [];
  const remotes = paths.flatMap(({ remote, device }) => {
    const address = tryParseIp(remote);
    return address === undefined ? [] : [{ address, device }];
  });
  const seen: readonly Remote[] = remotes.length === 0 ? [{}] : remotes;
  return seen.flatMap((remote) => underlayFindings(facts, remote));
}

export interface Remote {
  readonly address?: IpAddress;
  /** The device that leads to it. */
  readonly device?: string;
}

/** Rules in the way of packets from and to one host. */
export function underlayFindings({ setup, host }: Facts, remote: Remote): Finding[] {
  const wanted = [
    { protocol: "tcp", destinationPort: setup.port },
    { protocol: "udp", destinationPort: setup.port },
    // Tunnels go by IPv4.
    ...(mayUseFastdp(setup, host) && remote.address?.family !== 6
      ? [{ protocol: "udp", destinationPort: setup.port + 1 } as const]
      : []),
  ] as const;
  return wanted.flatMap((port) =>
    (["input", "output"] as const).flatMap((hook) => {
      const packet = underlayPacket(hook, port, remote);
      return dropsOf(host.firewall.tables, packet).flatMap((drop) => dropFinding(drop, packet));
    }),
  );
}

/** Nobody listens at its port while sleeve carries all frames. */
function mayUseFastdp({ isRunning, wantsFastdp }: Facts["setup"], { datapath }: Facts["host"]) {
  return isRunning ? datapath.backend !== undefined : wantsFastdp;
}

function underlayPacket(
  hook: "input" | "output",
  port: { readonly protocol: "tcp" | "udp"; readonly destinationPort: number },
  { address, device }: Remote,
): FilteredPacket {
  const [far, through] =
    hook === "input"
      ? (["source", "inInterface"] as const)
      : (["destination", "outInterface"] as const);
  return {
    hook,
    ...port,
    ...(address !== undefined && { [far]: address }),
    ...(device !== undefined && { [through]: device }),
  };
}

function dropFinding(drop: Drop, packet: FilteredPacket): Finding[] {
  const { protocol, hook, destinationPort, source, destination } = packet;
  const far = hook === "input" ? source : destination;
  const which = `${protocol.toUpperCase()} ${destinationPort}`;
  const way = hook === "input" ? "from" : "to";
  const whom = far === undefined ? "other hosts" : formatIp(far);
  if (drop.isCertain) {
    const sentence = `${ruleName(drop)} drops ${which} ${way} ${whom}`;
    return [
      finding("FIREWALL_DROPS", drop.chain.name, sentence, {
        commands: [acceptLine(drop, packet)],
      }),
    ];
  }
  if (!drop.namesPort) return [];
  return [
    finding(
      "FIREWALL_MAY_DROP",
      drop.chain.name,
      `${ruleName(drop)} may drop ${which} ${way} ${whom}`,
    ),
  ];
}

/** Frames of containers of this host, and from and to others, while they cross the bridge. */
export function betweenContainers({ setup, host }: Facts): Finding[] {
  if (!host.firewall.filtersBridges) return [];
  const { bridge } = setup;
  if (!host.devices.some(({ name, kind }) => name === bridge && kind === "bridge")) return [];
  const packet = { hook: "forward", inInterface: bridge, outInterface: bridge } as const;
  return (["tcp", "udp"] as const).flatMap((protocol) =>
    dropsOf(host.firewall.tables, { ...packet, protocol })
      .filter(({ isCertain }) => isCertain)
      .map((drop) =>
        finding(
          "FORWARD_DROPS",
          drop.chain.name,
          `${ruleName(drop)} drops what containers send over ${bridge}`,
          { commands: [acceptBridge(drop, bridge)] },
        ),
      ),
  );
}

function mixedTools({ host: { firewall } }: Facts): Finding[] {
  const { iptables, tables } = firewall;
  const other = iptables === "nf_tables" ? "iptables-legacy" : "iptables";
  const hasRules = tables.some(
    ({ tool, chains }) =>
      tool === other && [...chains.values()].some(({ rules }) => rules.length > 0),
  );
  if (iptables !== "nf_tables" || !hasRules) return [];
  return [
    finding(
      "IPTABLES_MIXED",
      "iptables",
      "there are rules of iptables-legacy, which 'iptables' here does not show",
      {
        commands: ["iptables-legacy-save | iptables-restore --noflush", "iptables-legacy -F"],
      },
    ),
  ];
}

/** `the rule '-A INPUT … -j DROP' of iptables (filter)`, or the policy of a chain. */
export function ruleName({ table, chain, rule }: Drop): string {
  const where =
    table.tool === "nft"
      ? `nft table ${table.family} ${table.name}`
      : `${table.tool} (${table.name})`;
  if (rule === undefined) return `the policy of chain ${chain.name} in ${where}`;
  const text = table.tool === "nft" ? `${chain.name} ${rule.text}` : rule.text;
  return `the rule '${text}' in ${where}`;
}

/** Puts an accept before the rule, at the head of the chain that has it. */
function acceptLine(drop: Drop, { protocol, destinationPort }: FilteredPacket): string {
  const { table, chain } = drop;
  const port = destinationPort!;
  if (table.tool === "nft") {
    const at = ["nft", "insert", "rule", table.family, table.name, chain.name];
    return shellLine(...at, protocol, "dport", port, "accept");
  }
  return shellLine(...insert(drop), "-p", protocol, "--dport", port, "-j", "ACCEPT");
}

function acceptBridge(drop: Drop, bridge: string): string {
  const { table, chain } = drop;
  if (table.tool === "nft") {
    const at = ["nft", "insert", "rule", table.family, table.name, chain.name];
    return shellLine(...at, "iifname", bridge, "oifname", bridge, "accept");
  }
  return shellLine(...insert(drop), "-i", bridge, "-o", bridge, "-j", "ACCEPT");
}

function insert({ table, chain }: Drop): string[] {
  const inTable = table.name === "filter" ? [] : ["-t", table.name];
  return [table.tool, ...inTable, "-I", chain.name];
}
