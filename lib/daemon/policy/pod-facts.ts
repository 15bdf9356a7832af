import { shortEngineId } from "../../base/engine-id.ts";
import type { NamedPort } from "../../policy/objects.ts";
import { defaultNamespace } from "./policy-document.ts";

/** Who a container of this host is to policies, beside its addresses. */
export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  /** What a cluster calls it; empty where there is none. */
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** When it was attached last, in ms since 1970. */
  readonly sinceMs: number;
}

/** Says in which namespace a container is. */
export const namespaceLabel = "weave.works/namespace";

/** Names a port: `weave.works/port.web: 80/tcp`. */
export const portLabelPrefix = "weave.works/port.";

/** What whoever attaches a container knows of it. */
export interface KnownOfContainer {
  readonly ident: string;
  /** As people call it; missing: after its ident. */
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** As a runtime of Kubernetes tells. */
  readonly pod?:
    | { readonly namespace: string; readonly name: string; readonly uid?: string | undefined }
    | undefined;
}

export function podFacts(known: KnownOfContainer, nowMs: number): PodFacts {
  const { ident, labels = {}, pod } = known;
  return {
    namespace: pod?.namespace ?? (labels[namespaceLabel] || defaultNamespace),
    name: pod?.name ?? known.name ?? nameOf(ident),
    uid: pod?.uid ?? "",
    labels,
    sinceMs: nowMs,
  };
}

/** `netns:web` is called web; a process goes by its id, and a long id by its first twelve digits. */
function nameOf(ident: string): string {
  return shortEngineId(ident) ?? ident.replace(/^netns:(.*\/)?/, "").replace(/^pid:/, "pid-");
}

/** What a container's labels call its ports; labels that say no port are no ports. */
export function portsOf(labels: Readonly<Record<string, string>>): NamedPort[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const named = key.startsWith(portLabelPrefix);
    const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(value);
    if (!named || match === null) return [];
    const port = Number(match[1]);
    const protocol = protocols[(match[2] ?? "tcp").toLowerCase()];
    if (protocol === undefined || port < 1 || port > 65_535) return [];
    return [{ name: key.slice(portLabelPrefix.length), protocol, port }];
  });
}

const protocols: Readonly<Record<string, NamedPort["protocol"]>> = {
  tcp: "TCP",
  udp: "UDP",
  sctp: "SCTP",
};
