import {
  type Cidr,
  cidrContains,
  equalIp,
  formatCidr,
  formatIp,
  ipBits,
  networkOf,
} from "../../base/ip.ts";
import type {
  ContainerFacts,
  DeviceFact,
  EngineFact,
  Facts,
  NeighbourFact,
  WaitingFact,
} from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { ipInside, shellLine } from "../shell-words.ts";

/** Containers of this host: how they are plugged in, and what they have been told. */
export function checkContainers(facts: Facts): Finding[] {
  return [
    ...facts.containers.flatMap((container) => containerFindings(facts, container)),
    ...doubles(facts.containers),
    ...(facts.engine === undefined ? [] : [unheard(facts.engine)]),
    ...(facts.waiting ?? []).map(waits),
  ];
}

function unheard({ endpoint, message, remedy }: EngineFact): Finding {
  return finding("ENGINE_UNHEARD", endpoint, message, remedy === "" ? {} : { remedy });
}

/** What is wrong with one container, whoever it wants to reach. */
export function containerFindings(facts: Facts, container: ContainerFacts): Finding[] {
  if (container.port === undefined || container.guest === undefined) return [detached(container)];
  const { port, guest } = container;
  return [
    ...ends(container, port, guest),
    ...missing(container, guest),
    ...(guest.up ? container.addresses.flatMap((cidr) => routeTo(container, guest, cidr)) : []),
    ...mtu(facts, container, guest),
    ...container.neighbours.flatMap((each) => neighbourFindings(facts, container, guest, each)),
  ];
}

function detached({ ident, held }: ContainerFacts): Finding {
  const what = held.map(formatCidr).join(", ");
  const sentence = `${ident} holds ${what} and has no interface on the bridge`;
  return finding("CONTAINER_DETACHED", ident, sentence, {
    commands: [shellLine("weave", "attach", ident)],
  });
}

function waits({ name, seconds, reason, remedy }: WaitingFact): Finding {
  const sentence = `the command of ${name} has waited for its network for ${seconds} s: ${reason}`;
  return finding("CONTAINER_WAITS", name, sentence, remedy === "" ? {} : { remedy });
}

function ends(
  container: ContainerFacts,
  port: NonNullable<ContainerFacts["port"]>,
  guest: DeviceFact,
): Finding[] {
  const { ident } = container;
  const inside = `the interface ${guest.name} of ${ident} is down`;
  const outside = `${port.name}, the bridge's end of ${ident}'s interface, is down`;
  return [
    ...(guest.up
      ? []
      : [
          finding("INTERFACE_DOWN", ident, inside, {
            commands: list(ipInside(container, "link", "set", "dev", guest.name, "up")),
          }),
        ]),
    ...(port.up
      ? []
      : [
          finding("INTERFACE_DOWN", ident, outside, {
            commands: [shellLine("ip", "link", "set", "dev", port.name, "up")],
          }),
        ]),
  ];
}

/** Given out, and taken from the interface behind the router's back. */
function missing(container: ContainerFacts, guest: DeviceFact): Finding[] {
  const { ident, held, addresses } = container;
  return held
    .filter((cidr) => !addresses.some(({ address }) => equalIp(address, cidr.address)))
    .map((cidr) => {
      const shown = formatCidr(cidr);
      return finding(
        "ADDRESS_MISSING",
        ident,
        `${ident} holds ${shown}, and ${guest.name} lacks it`,
        {
          commands: list(ipInside(container, "addr", "add", shown, "dev", guest.name)),
        },
      );
    });
}

/** The kernel makes this route with the address; only somebody else removes it. */
function routeTo(container: ContainerFacts, guest: DeviceFact, cidr: Cidr): Finding[] {
  const { address, prefix } = cidr;
  if (address.family !== 4 || prefix === ipBits(address.family)) return [];
  const network = networkOf(cidr);
  const leads = container.routes.some(
    ({ destination, interfaceIndex }) =>
      interfaceIndex === guest.index &&
      destination !== undefined &&
      destination.prefix <= prefix &&
      cidrContains(destination, network.address),
  );
  if (leads) return [];
  const subnet = formatCidr(network);
  const words = ["route", "replace", subnet, "dev", guest.name, "scope", "link"];
  const sentence = `${container.ident} has ${formatCidr(cidr)} and no route to ${subnet} over ${guest.name}`;
  return [
    finding("ROUTE_MISSING", container.ident, sentence, {
      commands: list(ipInside(container, ...words, "src", formatIp(address))),
    }),
  ];
}

function mtu({ setup, host }: Facts, container: ContainerFacts, guest: DeviceFact): Finding[] {
  const bridge = host.devices.find(({ name }) => name === setup.bridge);
  if (bridge === undefined || guest.mtu <= bridge.mtu) return [];
  const { ident } = container;
  const sentence = `${guest.name} of ${ident} has MTU ${guest.mtu}, the bridge ${bridge.name} ${bridge.mtu}`;
  return [
    finding("MTU_TOO_LARGE", ident, sentence, {
      commands: list(ipInside(container, "link", "set", "dev", guest.name, "mtu", bridge.mtu)),
    }),
  ];
}

/** The kernel remembers for ever that nobody answered; who still wants to know asks every second. */
const silenceMaxMs = 10_000;

/** What a container believes of one address, beside who has it as far as this host can see. */
export function neighbourFindings(
  facts: Facts,
  container: ContainerFacts,
  guest: DeviceFact,
  { address, mac, state, ageMs }: NeighbourFact,
): Finding[] {
  const { ident } = container;
  const shown = formatIp(address);
  const forget = list(ipInside(container, "neigh", "delete", shown, "dev", guest.name));
  const owner = ownerOf(facts, address);
  if (mac !== "" && owner !== undefined && owner.mac !== mac) {
    const sentence = `${ident} sends what is for ${shown} to ${mac}, and ${owner.ident} has it at ${owner.mac}`;
    return [finding("NEIGHBOUR_WRONG", ident, sentence, { commands: forget })];
  }
  if (state === "permanent" && owner === undefined && !isSeen(facts, mac)) {
    const sentence = `${ident} was told for ever that ${shown} is at ${mac}, which nobody here has seen`;
    return [finding("NEIGHBOUR_FIXED", ident, sentence, { commands: forget })];
  }
  if (state === "failed" && ageMs <= silenceMaxMs) {
    const sentence = `nobody answered ${ident} when it asked who has ${shown}`;
    return [finding("NEIGHBOUR_SILENT", ident, sentence, { commands: forget })];
  }
  return [];
}

/** The container of this host, or its bridge, that has an address. */
function ownerOf({ containers }: Facts, address: NeighbourFact["address"]) {
  const owner = containers.find(
    ({ guest, addresses }) =>
      guest !== undefined && addresses.some((each) => equalIp(each.address, address)),
  );
  return owner?.guest && { ident: owner.ident, mac: owner.guest.mac };
}

function isSeen({ seenMacs }: Facts, mac: string): boolean {
  return seenMacs.has(mac);
}

function doubles(containers: readonly ContainerFacts[]): Finding[] {
  const holders = Map.groupBy(
    containers.flatMap((container) =>
      container.addresses.map(({ address }) => ({ container, shown: formatIp(address) })),
    ),
    ({ shown }) => shown,
  );
  return [...holders]
    .filter(([, who]) => who.length > 1)
    .map(([shown, who]) => {
      const names = who.map(({ container }) => container.ident);
      const last = who.at(-1)!.container;
      const cidr = last.addresses.find(({ address }) => formatIp(address) === shown)!;
      return finding("ADDRESS_DOUBLE", shown, `${names.join(" and ")} all have ${shown}`, {
        commands: list(
          last.guest && ipInside(last, "addr", "delete", formatCidr(cidr), "dev", last.guest.name),
        ),
      });
    });
}

function list(command: string | undefined): readonly string[] {
  return command === undefined ? [] : [command];
}
