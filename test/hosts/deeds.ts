import { type Random, randomBelow } from "../../lib/base/random.ts";
import { findLink, listLinks } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import { NetworkNamespace, namedNamespaceFolder } from "../../lib/host/netns.ts";
import { detachPrograms } from "../host/datapath/detach-programs.ts";
import type { Host } from "./lab.ts";
import { eventually, killed } from "./shell.ts";

/**
 * One thing that somebody does to a host behind its router's back. Says what it was; `undefined` when
 * there was nothing of that kind to do it to.
 */
export type Deed = (host: Host, random: Random) => Promise<string | undefined>;

/** Devices of a router, containers' ends included. */
async function ownLinks(host: Host): Promise<string[]> {
  const { stdout } = await host.exec(["ip", "-br", "link"]);
  const names = stdout.split("\n").map((line) => line.split(/[@ ]/)[0]!);
  return names.filter((name) => /^(weave$|vethwe)/.test(name)).sort();
}

function one<T>(random: Random, from: readonly T[]): T | undefined {
  return from.length === 0 ? undefined : from[randomBelow(random, from.length)];
}

/** Does something to a link that is picked at random; `%` stands for its name. */
function toLink(pattern: RegExp, ...words: readonly string[]): Deed {
  return async (host, random) => {
    const links = (await ownLinks(host)).filter((name) => pattern.test(name));
    const link = one(random, links);
    if (link === undefined) return undefined;
    return done(
      host,
      words.map((word) => (word === "%" ? link : word)),
    );
  };
}

/** Runs a program, which may find that an earlier deed has left it nothing to do. */
function program(...words: readonly string[]): Deed {
  return (host) => done(host, words);
}

async function done(host: Host, words: readonly string[]): Promise<string | undefined> {
  const { code } = await host.exec(words);
  return code === 0 ? words.join(" ") : undefined;
}

const deleteRule: Deed = async (host, random) => {
  const { stdout } = await host.exec(["nft", "-a", "list", "table", "ip", "weave"]);
  let chain = "";
  const rules = stdout.split("\n").flatMap((line) => {
    chain = /^\tchain (\S+)/.exec(line)?.[1] ?? chain;
    const handle = /^\t\t.*# handle (\d+)/.exec(line)?.[1];
    return handle === undefined ? [] : [[chain, "handle", handle]];
  });
  const rule = one(random, rules);
  return rule && done(host, ["nft", "delete", "rule", "ip", "weave", ...rule]);
};

const deleteAddress: Deed = async (host, random) => {
  const { stdout } = await host.exec(["ip", "-4", "-br", "addr", "show", "dev", "weave"]);
  const address = one(random, stdout.match(/[\d.]+\/\d+/g) ?? []);
  return address && done(host, ["ip", "addr", "del", address, "dev", "weave"]);
};

const deleteRoute: Deed = async (host, random) => {
  const { stdout } = await host.exec(["ip", "-4", "route", "show", "dev", "weave"]);
  const route = one(random, stdout.match(/^[\d.]+\/\d+/gm) ?? []);
  return route && done(host, ["ip", "route", "del", route, "dev", "weave"]);
};

const detach: Deed = async (host, random) => {
  const name = one(random, await ownLinks(host));
  using namespace = new NetworkNamespace(`${namedNamespaceFolder}/${host.namespace}`);
  return namespace.run(() => {
    using netlink = openRoute();
    const link = name === undefined ? undefined : findLink(netlink, { name });
    const count = link === undefined ? 0 : detachPrograms(link.index);
    return count > 0 ? `took ${count} programs from ${name}` : undefined;
  });
};

const deleteAllLinks: Deed = async (host) => {
  using namespace = new NetworkNamespace(`${namedNamespaceFolder}/${host.namespace}`);
  using netlink = openRoute(namespace);
  const names = listLinks(netlink).map(({ name }) => name);
  const own = names.filter((name) => /^(weave$|vethwe)/.test(name));
  for (const name of own) await host.exec(["ip", "link", "del", name]);
  return own.length === 0 ? undefined : "deleted all links of the router";
};

const setSysctl: Deed = async (host, random) => {
  const setting = one(random, [
    "net.ipv6.conf.weave.accept_ra=1",
    "net.ipv4.conf.weave.promote_secondaries=0",
    "net.ipv4.neigh.weave.base_reachable_time_ms=30000",
    "net.ipv4.neigh.weave.ucast_solicit=3",
    "net.ipv6.conf.vethwe-pcap.accept_ra=1",
  ])!;
  return done(host, ["sysctl", "-q", "-w", setting]);
};

/** Its keeper starts it again, with what it had. */
const killRouter: Deed = async (host) => {
  const pid = await host.routerPid();
  await killed(pid);
  await eventually(
    `another router at ${host.namespace}`,
    () => host.weave(["status"]),
    ({ code }) => code === 0,
    60_000,
  );
  return "killed the router";
};

/** What is done while no router runs is made good by the next one. */
const whileStopped: Deed = async (host, random) => {
  await host.mustWeave(["stop"]);
  const deed = one(random, calm)!;
  const what = (await deed(host, random)) ?? "nothing";
  await host.launch(["--resume"]);
  return `stopped the router, ${what}, launched it again`;
};

/** Those that do not concern the router's process. */
const calm: readonly Deed[] = [
  toLink(/./, "ip", "link", "del", "%"),
  toLink(/^vethwepl/, "ip", "link", "del", "%"),
  toLink(/./, "ip", "link", "set", "%", "down"),
  toLink(/./, "ip", "link", "set", "%", "mtu", "1000"),
  toLink(/^vethwe/, "ip", "link", "set", "%", "nomaster"),
  toLink(/^vethwe-bridge/, "bridge", "link", "set", "dev", "%", "hairpin", "on"),
  toLink(/^vethwe-bridge/, "bridge", "link", "set", "dev", "%", "isolated", "off"),
  deleteAllLinks,
  deleteAddress,
  program("ip", "addr", "flush", "dev", "weave"),
  deleteRoute,
  deleteRule,
  program("nft", "delete", "table", "ip", "weave"),
  program("nft", "flush", "chain", "ip", "weave", "postrouting"),
  // Docker is then started again.
  program("sh", "-c", "nft flush ruleset; iptables -P FORWARD DROP"),
  program("iptables", "-F"),
  program("iptables", "-F", "FORWARD"),
  program("iptables", "-D", "FORWARD", "-j", "WEAVE-FORWARD"),
  program("iptables", "-F", "WEAVE-FORWARD"),
  program("iptables", "-I", "FORWARD", "-j", "DROP"),
  detach,
  setSysctl,
];

const deeds: readonly Deed[] = [...calm, ...calm, killRouter, whileStopped];

/** Does one to three things, each to one of the hosts, and says what they were. */
export async function ravage(hosts: readonly Host[], random: Random): Promise<string[]> {
  const said: string[] = [];
  for (let left = 1 + randomBelow(random, 3); left > 0; left--) {
    const host = one(random, hosts)!;
    const what = await one(random, deeds)!(host, random);
    if (what !== undefined) said.push(`host${host.number}: ${what}`);
  }
  return said;
}
