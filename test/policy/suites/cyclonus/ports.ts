import { portName, protocols, servedPorts } from "../cluster-json.ts";
import type { PortJson } from "../suite-case.ts";
import { type Actions, directions, once, withPorts } from "./base-policy.ts";

function describePort({ protocol, port, endPort }: PortJson): string {
  const range = endPort === undefined ? `${port ?? "any"}` : `${port}–${endPort}`;
  return `${protocol ?? "no protocol"} ${range}`;
}

const singlePorts: readonly PortJson[] = [
  ...[undefined, ...protocols].flatMap((protocol) =>
    [undefined, ...servedPorts].map((port) => ({
      ...(protocol === undefined ? {} : { protocol }),
      ...(port === undefined ? {} : { port }),
    })),
  ),
  ...protocols.flatMap((protocol) =>
    servedPorts.map((port) => ({ protocol, port: portName(port, protocol) })),
  ),
  ...protocols.flatMap((protocol) => [80, 84].map((endPort) => ({ protocol, port: 53, endPort }))),
];

const pathologicalPorts: readonly PortJson[] = [
  { protocol: "TCP", port: "serve-81-udp" },
  { protocol: "TCP", port: "serve-7981-udp" },
  { protocol: "TCP", port: 7981 },
];

/** Pairs of ports that add up, overlap, or differ in what they have in common. */
const portPairs: readonly (readonly [PortJson, PortJson])[] = [
  [
    { protocol: "TCP", port: 80 },
    { protocol: "TCP", port: 81 },
  ],
  [
    { protocol: "TCP", port: 80 },
    { protocol: "UDP", port: 80 },
  ],
  [
    { protocol: "UDP", port: 80 },
    { protocol: "SCTP", port: 81 },
  ],
  [{ protocol: "TCP" }, { protocol: "TCP", port: 80 }],
  [
    { protocol: "TCP", port: "serve-80-tcp" },
    { protocol: "TCP", port: 81 },
  ],
  [
    { protocol: "UDP", port: "serve-81-udp" },
    { protocol: "SCTP", port: "serve-80-sctp" },
  ],
  [
    { protocol: "TCP", port: 53, endPort: 80 },
    { protocol: "TCP", port: 80, endPort: 81 },
  ],
];

/** An empty list, single ports, odd ones and pairs, in both directions. */
export const portProtocol = directions.flatMap((direction): [string, Actions][] => [
  [`allows ${direction} at an empty list of ports`, once(withPorts(direction))],
  ...[...singlePorts, ...pathologicalPorts].map((port): [string, Actions] => [
    `allows ${direction} at ${describePort(port)}`,
    once(withPorts(direction, port)),
  ]),
  ...portPairs.map(([port, other]): [string, Actions] => [
    `allows ${direction} at ${describePort(port)} and ${describePort(other)}`,
    once(withPorts(direction, port, other)),
  ]),
]);
