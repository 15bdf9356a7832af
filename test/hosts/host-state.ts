import { readdirSync } from "node:fs";
import type { Host } from "./lab.ts";
import { must } from "./shell.ts";

/**
 * All that a router could change on a host, as lines that can be compared: one begins with what it
 * is about. Left out is what changes by itself (timers, counters, what was learned) and the numbers
 * that the kernel gives (indexes, handles).
 */
export async function hostState(host: Host): Promise<string[]> {
  const parts = await Promise.all(
    Object.entries(questions).map(async ([what, ask]) => {
      const lines = await ask(host);
      return lines.map((line) => `${what}: ${line}`);
    }),
  );
  return parts.flat();
}

/** Lines that only one of the two has, marked by - and +. */
export function stateDifference(before: readonly string[], after: readonly string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
}

type Question = (host: Host) => Promise<string[]>;

const questions: Readonly<Record<string, Question>> = {
  link: json("ip", "-d", "-j", "address"),
  route: json("ip", "-j", "route", "show", "table", "all"),
  "route of IPv6": json("ip", "-j", "-6", "route", "show", "table", "all"),
  rule: json("ip", "-j", "rule"),
  neighbour: json("ip", "-j", "neighbour", "show", "nud", "permanent"),
  nftables: text(["nft", "list", "ruleset"]),
  // Listing may make tables, which `nft` would show: this comes with what it makes.
  iptables: text(["iptables-save"]),
  "iptables-legacy": text(["iptables-legacy-save"]),
  ip6tables: text(["ip6tables-save"]),
  ipset: text(["ipset", "save"]),
  xfrm: text(["sh", "-c", "ip xfrm policy; ip xfrm state"]),
  qdisc: text(["tc", "qdisc", "show"]),
  filter: text(["sh", "-c", everyFilter()]),
  sysctl: text(["sh", "-c", "sysctl -a --pattern '^net\\.' 2>/dev/null"]),
  socket: text(["ss", "-Hlntu"]),
  process: async (host) => {
    const pids = (await must(["ip", "netns", "pids", host.namespace])).split(/\s+/);
    return pids.filter((pid) => pid !== "").length === 0 ? [] : ["there are some"];
  },
  file: async ({ env }) =>
    [env.WEAVE_RUN_DIR!, env.WEAVE_STATE_DIR!].flatMap((folder) => {
      try {
        return readdirSync(folder, { recursive: true }).map((name) => `${folder}/${name}`);
      } catch {
        return [];
      }
    }),
};

/** tc(8) lists filters of one edge of one device at a time. */
function everyFilter(): string {
  const edges = "for e in ingress egress root; do tc filter show dev $d $e; done";
  return `for d in $(ls /sys/class/net 2>/dev/null; ip -br link | sed 's/[@ ].*//' | sort -u); do echo $d; ${edges} 2>/dev/null; done; true`;
}

/** A line for each object of a list. */
function json(...command: readonly string[]): Question {
  return async (host) => {
    const output = (await inHost(host, command)).trim();
    const list: unknown[] = output === "" ? [] : JSON.parse(output);
    return list.map((each) => JSON.stringify(each, withoutVolatile));
  };
}

const volatile =
  /^(ifindex|link_index|link_netnsid|.*timer|valid_life_time|preferred_life_time|operstate|tentative|stats.*|root_id|bridge_id|multicast_.*|promiscuity|allmulti|num_[rt]x_queues|flags|expires|pref|metrics|used|.*_age|designated_.*|mcast_.*|root_.*|.*topology_change.*)$/;

function withoutVolatile(key: string, value: unknown): unknown {
  return volatile.test(key) ? undefined : value;
}

/** A line for each line. */
function text(command: readonly string[]): Question {
  return async (host) => {
    const output = await inHost(host, command);
    return output
      .split("\n")
      .map((line) =>
        line
          .replace(/counter packets \d+ bytes \d+/, "counter")
          .replace(/\[\d+:\d+\]/, "")
          .replace(/\bid \d+/, "")
          .trimEnd(),
      )
      .filter((line) => line !== "" && !/^#|nf_conntrack_count|^net\.netfilter/.test(line));
  };
}

function inHost(host: Host, command: readonly string[]): Promise<string> {
  return must(["nsenter", `--net=/run/netns/${host.namespace}`, ...command]);
}
