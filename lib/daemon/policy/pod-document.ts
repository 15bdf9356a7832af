import * as v from "valibot";
import { formatHostIp, type HostIp, tryParseHostIp } from "../../base/ip.ts";
import { textsByName } from "../../base/schema.ts";
import { labelsOf } from "../../policy/labels.ts";
import type { NamedPort, Pod } from "../../policy/objects.ts";

/** What peers tell each other of a container: the content of a record of kind `Pod`, as JSON. */
const podDocument = v.object({
  namespace: v.string(),
  name: v.string(),
  labels: textsByName,
  addresses: v.array(v.string()),
  ports: v.array(
    v.object({
      name: v.string(),
      protocol: v.picklist(["TCP", "UDP", "SCTP"]),
      port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
    }),
  ),
  /** When it got its addresses, in ms since 1970. */
  sinceMs: v.number(),
});

/** Octets of labels that are told; a container with more is told without any, and without the ports they name. */
const labelsMaxBytes = 16 << 10;

/** A container of this host, as policies see it. */
export interface HostPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly HostIp[];
  readonly ports: readonly NamedPort[];
  readonly sinceMs: number;
}

export function writePod({ namespace, name, labels, addresses, ports, sinceMs }: HostPod): string {
  const fits = Buffer.byteLength(JSON.stringify(labels)) <= labelsMaxBytes;
  return JSON.stringify({
    ...{ namespace, name, labels: fits ? labels : {}, ports: fits ? ports : [], sinceMs },
    addresses: addresses.map(formatHostIp),
  });
}

/** `undefined` for what is no pod. */
export function readPod(
  content: string,
  place: { readonly peer: string; readonly container: string; readonly isLocal: boolean },
): Pod | undefined {
  const parsed = v.safeParse(podDocument, parseJson(content));
  if (!parsed.success) return undefined;
  const { labels, addresses, ...rest } = parsed.output;
  return {
    ...rest,
    id: `${place.peer}/${place.container}`,
    labels: labelsOf(labels),
    addresses: addresses.flatMap((text) => tryParseHostIp(text) ?? []),
    node: place.peer,
    // Of its own containers a host tells while they are attached.
    ...{ isLocal: place.isLocal, isAttached: place.isLocal },
  };
}

/** `undefined` for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
