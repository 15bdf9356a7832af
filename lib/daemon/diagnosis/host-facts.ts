import { errorText, WeaveError } from "../../base/errors.ts";
import type { DatapathFacts, HostFacts, SetupFacts } from "../../diagnosis/facts.ts";
import { parseIptablesSave } from "../../diagnosis/firewall/iptables-save.ts";
import { parseNftRuleset } from "../../diagnosis/firewall/nft-json.ts";
import type { FirewallFacts, Table } from "../../diagnosis/firewall/rules.ts";
import { type BoundSocket, boundSockets } from "../../host/bound-sockets.ts";
import { firewallTables } from "../../host/firewall/nftables-backend.ts";
import { halfOpenHosts } from "../../host/half-open.ts";
import { listLinks } from "../../host/netlink/link.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { listRoutes } from "../../host/netlink/route.ts";
import { readPacketFilters } from "../../host/packet-filters.ts";
import { readSystemIds } from "../../host/peer-name-source.ts";
import { passesFilters } from "../../host/policy/bridged-packets.ts";
import { policyTables } from "../../host/policy/nft-names.ts";

/** Looks at the machine. What cannot be looked at is noted, and no reason to see nothing else. */
export async function gatherHost(setup: SetupFacts, datapath: DatapathFacts): Promise<HostFacts> {
  const notes = new Notes();
  using netlink = openRoute();
  const none: never[] = [];
  return {
    devices: notes.try("devices", none, () => listLinks(netlink)),
    routes: notes.try("routes", none, () => listRoutes(netlink)),
    sockets: notes.try("ports", none, () => foreignSockets(setup, datapath)),
    halfOpen: notes.try("connections that begin", none, () => halfOpenHosts(setup.port)),
    firewall: await gatherFirewall(notes, setup.bridge),
    datapath,
    hasMachineId: (readSystemIds().machineId?.length ?? 0) > 0,
    unexamined: notes.list,
  };
}

/** A running router has its own ports, and its datapath the next one. */
function foreignSockets(setup: SetupFacts, { backend }: DatapathFacts): BoundSocket[] {
  const { port, isRunning, isSilent, wantsFastdp } = setup;
  const ports = new Set<number>();
  if (!isRunning && !isSilent) ports.add(port);
  if (!isSilent && backend === undefined && wantsFastdp) ports.add(port + 1);
  // Its API is at 6784 too, by TCP.
  return ports.size === 0
    ? []
    : boundSockets(ports).filter(({ protocol, port: at }) => protocol === "udp" || at === port);
}

async function gatherFirewall(notes: Notes, bridge: string): Promise<FirewallFacts> {
  const texts = await readPacketFilters();
  const { iptables, legacy, nft } = texts;
  if (iptables === undefined && nft === undefined) {
    notes.add("packet filter", "neither iptables-save nor nft can be run");
  }
  const read = (what: string, text: string | undefined, parse: (text: string) => Table[]) =>
    text === undefined ? [] : notes.try(what, [], () => parse(text));
  return {
    iptables: texts.backend,
    filtersBridges: texts.filtersBridges || passesFilters(bridge),
    tables: [
      ...read("iptables", iptables, (text) => parseIptablesSave(text, "iptables")),
      ...read("iptables-legacy", legacy, (text) => parseIptablesSave(text, "iptables-legacy")),
      ...read("ip6tables", texts.ip6tables, (text) => parseIptablesSave(text, "ip6tables")),
      ...read("ip6tables-legacy", texts.ip6legacy, (text) =>
        parseIptablesSave(text, "ip6tables-legacy"),
      ),
      ...read("nftables", nft, parseNftRuleset).filter(isForeign),
    ],
  };
}

/** Our own tables keep containers and neighbours out on purpose. */
function isForeign({ family, name }: Table): boolean {
  const ours = [...Object.values(firewallTables), ...Object.values(policyTables)];
  return !ours.some((own) => own.family === family && own.name === name);
}

/** What could not be looked at. */
class Notes {
  readonly list: { readonly what: string; readonly why: string }[] = [];

  add(what: string, why: string): void {
    this.list.push({ what, why });
  }

  try<T>(what: string, otherwise: T, look: () => T): T {
    try {
      return look();
    } catch (error) {
      if (!(error instanceof WeaveError) && !(error instanceof Error)) throw error;
      this.add(what, errorText(error));
      return otherwise;
    }
  }
}
