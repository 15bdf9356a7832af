import { cidrContains, equalIp, formatCidr, formatIp, type IpAddress } from "../../base/ip.ts";
import { containerFindings, neighbourFindings } from "../doctor/containers.ts";
import { betweenContainers } from "../doctor/firewall.ts";
import { bridgeFindings } from "../doctor/host.ts";
import type { ContainerFacts, Facts, NeighbourFact, RouteFact } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { labelOf } from "../labels.ts";
import { ago } from "./ago.ts";
import { type Detail, detailsOf, type Part } from "./explanation.ts";
import type { Question } from "./question.ts";

/** Inside a container of this host: interface, address, route, and what it believes of the other. */
export function containerPart(
  { facts }: Question,
  container: ContainerFacts,
  destination: IpAddress | undefined,
): Part {
  const { ident, guest, addresses } = container;
  const route = destination && bestRoute(container, destination);
  const neighbour = destination && neighbourTo(container, route, destination);
  return {
    steps: [
      {
        kind: "container",
        title: ident,
        details: detailsOf({
          interface: guest && `${guest.name}, ${guest.mac}, MTU ${guest.mtu}, ${upDown(guest.up)}`,
          address: addresses.map(formatCidr).join(", "),
          route: destination && routeText(container, route, destination),
          neighbour: destination && neighbourText(destination, neighbour),
        }),
      },
    ],
    findings: [...relevant(facts, container, destination), ...subnet(container, destination)],
  };
}

/** Of what is wrong with the container: nothing of addresses that nobody asked about. */
function relevant(
  facts: Facts,
  container: ContainerFacts,
  destination: IpAddress | undefined,
): Finding[] {
  const { guest } = container;
  const asked = container.neighbours.filter(
    ({ address }) => destination !== undefined && equalIp(address, destination),
  );
  return [
    ...containerFindings(facts, { ...container, neighbours: [] }),
    ...(guest === undefined
      ? []
      : asked.flatMap((each) => neighbourFindings(facts, container, guest, each))),
  ];
}

/** Without an address in the other's subnet a container sends frames for it elsewhere, or nowhere. */
function subnet(container: ContainerFacts, destination: IpAddress | undefined): Finding[] {
  const { ident, guest, addresses, routes } = container;
  if (destination === undefined || guest === undefined || addresses.length === 0) return [];
  if (addresses.some((cidr) => cidrContains(cidr, destination))) return [];
  const leads = routes.some(
    (route) =>
      route.interfaceIndex === guest.index &&
      route.destination !== undefined &&
      cidrContains(route.destination, destination),
  );
  if (leads) return [];
  const shown = formatIp(destination);
  const own = addresses.map(formatCidr).join(", ");
  return [
    finding(
      "SUBNET_FOREIGN",
      ident,
      `${ident} has ${own}, and ${shown} is in none of these subnets`,
      {
        remedy: `attach it with an address of the subnet that ${shown} is in`,
      },
    ),
  ];
}

/** The longest prefix, as the kernel chooses. */
function bestRoute({ routes }: ContainerFacts, destination: IpAddress): RouteFact | undefined {
  return routes
    .filter(
      (route) => route.destination === undefined || cidrContains(route.destination, destination),
    )
    .toSorted((a, b) => (b.destination?.prefix ?? -1) - (a.destination?.prefix ?? -1))[0];
}

function routeText(
  { guest }: ContainerFacts,
  route: RouteFact | undefined,
  destination: IpAddress,
): string {
  if (route === undefined) return `none to ${formatIp(destination)}`;
  const network = route.destination === undefined ? "default" : formatCidr(route.destination);
  const via = route.gateway === undefined ? "" : ` via ${formatIp(route.gateway)}`;
  const over =
    route.interfaceIndex === guest?.index ? guest?.name : "an interface of another network";
  return `${network}${via} over ${over}`;
}

function neighbourTo(
  { neighbours }: ContainerFacts,
  route: RouteFact | undefined,
  destination: IpAddress,
): NeighbourFact | undefined {
  const next = route?.gateway ?? destination;
  return neighbours.find(({ address }) => equalIp(address, next));
}

function neighbourText(destination: IpAddress, neighbour: NeighbourFact | undefined): string {
  const shown = formatIp(neighbour?.address ?? destination);
  if (neighbour === undefined) return `${shown} was not asked for lately`;
  const { mac, state } = neighbour;
  return mac === "" ? `${shown}: ${state}` : `${shown} is at ${mac} (${state})`;
}

/** The bridge of this host: the port, its table, and who is said to have the other's MAC address. */
export function bridgePart(
  question: Question,
  container: ContainerFacts | undefined,
  mac: string | undefined,
): Part {
  const { facts } = question;
  const { bridge } = facts.setup;
  const device = facts.host.devices.find(({ name }) => name === bridge);
  return {
    steps: [
      {
        kind: "bridge",
        title: `bridge ${bridge}`,
        details: [
          ...detailsOf({
            bridge: device && `MTU ${device.mtu}, ${upDown(device.up)}`,
            port: container?.port && `${container.port.name}, ${upDown(container.port.up)}`,
          }),
          ...(mac === undefined ? [] : whereabouts(question, mac)),
          ...detailsOf({ filter: filterText(facts) }),
        ],
      },
    ],
    findings: [...bridgeFindings(facts), ...betweenContainers(facts)],
  };
}

function whereabouts({ forwarding, macs, facts }: Question, mac: string): Detail[] {
  const behind = forwarding.find((each) => each.mac === mac)?.port;
  const learnt = macs.find((each) => each.mac === mac);
  const { cluster } = facts;
  return detailsOf({
    fdb: `${mac} is ${behind === undefined ? "not in the bridge's table" : `behind ${behind}`}`,
    macs:
      learnt && cluster
        ? `${mac} lives at ${labelOf(cluster.mesh, learnt.peer)}, seen ${ago(learnt.lastSeenMs, cluster.nowMs)}`
        : `${mac} is not known: frames for it go to all peers`,
  });
}

function filterText(facts: Facts): string {
  if (!facts.host.firewall.filtersBridges) return "the packet filter does not see bridged frames";
  return betweenContainers(facts).length === 0
    ? "lets bridged frames pass"
    : "drops bridged frames";
}

function upDown(up: boolean): string {
  return up ? "up" : "down";
}

/** The MAC address to which frames for an address go, as far as anybody here knows. */
export function macOf(
  { facts }: Question,
  from: ContainerFacts | undefined,
  destination: IpAddress | undefined,
): string | undefined {
  if (destination === undefined) return undefined;
  const owner = facts.containers.find(({ addresses }) =>
    addresses.some(({ address }) => equalIp(address, destination)),
  );
  const believed = (from === undefined ? facts.containers : [from])
    .flatMap(({ neighbours }) => neighbours)
    .find(({ address, mac }) => mac !== "" && equalIp(address, destination));
  return believed?.mac ?? owner?.guest?.mac;
}
