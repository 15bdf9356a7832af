import * as v from "valibot";
import type { PortRange } from "./objects.ts";

const protocol = v.nullish(v.picklist(["TCP", "UDP", "SCTP"]), "TCP");

const portNumber = v.pipe(
  v.number(),
  v.integer("is no whole number"),
  v.minValue(1, "is less than 1"),
  v.maxValue(65_535, "is more than 65535"),
);

/** A service name as RFC 6335 §5.1 has it. */
const portName = v.pipe(
  v.string(),
  v.maxLength(15, "is longer than 15 characters"),
  v.regex(/^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/, "is no name of a port"),
);

/** A NetworkPolicyPort: all ports of a protocol, one, a range, or what pods call so. */
export const portSchema = v.pipe(
  v.strictObject({
    protocol,
    port: v.nullish(v.union([portNumber, portName])),
    endPort: v.nullish(portNumber),
  }),
  v.forward(
    v.check(
      ({ port, endPort }) => endPort == null || (typeof port === "number" && endPort >= port),
      "needs a number in 'port' that is not above it",
    ),
    ["endPort"],
  ),
  v.transform(({ protocol, port, endPort }): PortRange => {
    if (typeof port === "string") return { kind: "name", protocol, name: port };
    if (port == null) return { kind: "numbers", protocol, first: 0, last: 65_535 };
    return { kind: "numbers", protocol, first: port, last: endPort ?? port };
  }),
);

const single = v.pipe(
  v.strictObject({ portNumber: v.strictObject({ protocol, port: portNumber }) }),
  v.transform(({ portNumber: { protocol, port } }): PortRange => {
    return { kind: "numbers", protocol, first: port, last: port };
  }),
);

const range = v.pipe(
  v.strictObject({
    portRange: v.pipe(
      v.strictObject({ protocol, start: portNumber, end: portNumber }),
      v.forward(
        v.check(({ start, end }) => end >= start, "is below 'start'"),
        ["end"],
      ),
    ),
  }),
  v.transform(({ portRange: { protocol, start, end } }): PortRange => {
    return { kind: "numbers", protocol, first: start, last: end };
  }),
);

const named = v.pipe(
  v.strictObject({ namedPort: portName }),
  v.transform(({ namedPort }): PortRange => ({ kind: "name", name: namedPort })),
);

/** An AdminNetworkPolicyPort: exactly one of three fields. */
export const clusterPortSchema = v.lazy((value) => {
  if (hasField(value, "portRange")) return range;
  return hasField(value, "namedPort") ? named : single;
});

export function hasField(value: unknown, field: string): boolean {
  return typeof value === "object" && value !== null && field in value;
}
