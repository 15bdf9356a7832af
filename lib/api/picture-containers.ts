import { shortEngineId } from "../base/engine-id.ts";
import type { Picture, PictureContainer } from "./picture-models.ts";
import type { Report } from "./report.ts";
import type { ListedContainer, ToldContainer } from "./router-control.ts";

/** Labels of a container that are shown, in alphabetical order. */
export const labelsMax = 32;

/** Characters of a label's key and value together; longer ones are left out. */
export const labelCharsMax = 256;

/**
 * Containers of all hosts, put together of what several say of the same one: the host itself, DNS,
 * and what peers tell each other. One that they call differently is known by its address.
 */
export function pictureContainers(
  { Router, DNS }: Report,
  here: readonly ListedContainer[],
  told: readonly ToldContainer[],
): PictureContainer[] {
  const found = new Gathering();
  for (const { ident, cidrs } of here) {
    if (!isNobody(ident)) found.put(Router.Name, ident, cidrs);
  }
  for (const { Hostname, Origin, ContainerID, Address, Tombstone } of DNS?.Entries ?? []) {
    if (Tombstone !== 0 || isNobody(ContainerID)) continue;
    const { names } = found.put(Origin, ContainerID, [Address]);
    if (!names.includes(Hostname)) names.push(Hostname);
  }
  const peerOf = peersByName(Router.Peers ?? []);
  for (const { container, host, namespace, name, labels, addresses } of told) {
    const peer = peerOf.get(host);
    // A pod on the network of its node is on none of ours.
    if (peer === undefined || addresses.length === 0) continue;
    const draft = found.put(peer, container, addresses);
    Object.assign(draft, { name, namespace, labels: shownLabels(labels) });
  }
  return found.all();
}

/** Names in DNS of what is no container. */
export function pictureNames({ DNS }: Report): Picture["names"] {
  return (DNS?.Entries ?? [])
    .filter(({ Tombstone, ContainerID }) => Tombstone === 0 && isNobody(ContainerID))
    .map(({ Hostname, Address, Origin }) => ({ name: Hostname, address: Address, peer: Origin }));
}

type Draft = {
  -readonly [Key in keyof PictureContainer]: PictureContainer[Key];
};

class Gathering {
  readonly #byIdent = new Map<string, Draft>();
  readonly #byAddress = new Map<string, Draft>();

  put(peer: string, id: string, addresses: readonly string[]): Draft {
    const keys = addresses.map((address) => `${peer} ${bare(address)}`);
    const key = `${peer} ${id}`;
    const known = this.#byIdent.get(key) ?? this.#byAddress.get(keys[0] ?? "");
    const draft = known ?? draftOf(peer, id);
    if (known === undefined) this.#byIdent.set(key, draft);
    for (const [index, address] of addresses.entries()) {
      if (this.#byAddress.get(keys[index]!) === draft) continue;
      this.#byAddress.set(keys[index]!, draft);
      draft.addresses.push(address);
    }
    return draft;
  }

  /** By the first of their names in DNS, where they have one. */
  all(): PictureContainer[] {
    return [...this.#byIdent.values()].map((draft) => ({
      ...draft,
      name: draft.names[0]?.split(".")[0] ?? draft.name,
    }));
  }
}

function draftOf(peer: string, id: string): Draft {
  return { id, peer, name: shortId(id), namespace: "", names: [], addresses: [], labels: {} };
}

/** By name and by nickname, for a cluster knows its nodes by the latter. */
function peersByName(peers: NonNullable<Report["Router"]["Peers"]>): Map<string, string> {
  return new Map([
    ...peers.map(({ Name, NickName }) => [NickName, Name] as const),
    ...peers.map(({ Name }) => [Name, Name] as const),
  ]);
}

function shownLabels(labels: ReadonlyMap<string, string>): Record<string, string> {
  const short = [...labels].filter(([key, value]) => key.length + value.length <= labelCharsMax);
  short.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(short.slice(0, labelsMax));
}

function bare(address: string): string {
  return address.split("/")[0]!;
}

function shortId(id: string): string {
  return shortEngineId(id) ?? id.replace(/^.*[:/]/, "");
}

/** The router itself has the bridge's addresses, and names of what is outside. */
function isNobody(ident: string): boolean {
  return ident.startsWith("weave:");
}
