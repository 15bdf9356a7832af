import { WeaveError } from "../../base/errors.ts";
import { type Ipv4, type Ipv4Cidr, parseIpv4Cidr, tryParseIpv4 } from "../../base/ip.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../../base/peer-name.ts";
import type { Bundle } from "../../incident/bundle.ts";
import { invalidBundle } from "../../incident/read-bundle.ts";

/** Links grow by the square of it, and each is a connection with all that belongs to it. */
export const replayPeersMax = 128;

/** The peers of an incident by number, from 1 on, as the simulator has them. */
export class Cast {
  readonly names: readonly PeerName[];
  readonly #nicknames = new Map<PeerName, string>();
  readonly #numbers: ReadonlyMap<PeerName, number>;

  /** @throws WeaveError `BUNDLE_INVALID`, `BUNDLE_PEERS` */
  constructor({ report, history }: Bundle) {
    const peers = report.Router.Peers ?? [];
    const told = [report.Router.Name, ...peers.map(({ Name }) => Name)];
    const seen = history.topology.flatMap((record) => record.peers);
    this.names = [...new Set([...told, ...seen].map(readPeer))].sort((a, b) => a - b);
    if (this.names.length > replayPeersMax) throw tooMany(this.names.length);
    this.#numbers = new Map(this.names.map((name, index) => [name, index + 1]));
    for (const { Name, NickName } of peers) this.#nicknames.set(readPeer(Name), NickName);
    this.#nicknames.set(readPeer(report.Router.Name), report.Router.NickName);
  }

  /** `undefined` for a peer that is only known as the owner of something. */
  number(peer: PeerName): number | undefined {
    return this.#numbers.get(peer);
  }

  nickname(peer: PeerName): string {
    return this.#nicknames.get(peer) || formatPeerName(peer);
  }

  /** As people call it. */
  label(number: number): string {
    return this.nickname(this.names[number - 1]!);
  }
}

/** @throws WeaveError `BUNDLE_INVALID`, as the following */
export function readPeer(text: string): PeerName {
  try {
    return parsePeerName(text);
  } catch {
    throw invalidBundle(`"${text.slice(0, 40)}" is no peer name`);
  }
}

export function readTime(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw invalidBundle(`"${text.slice(0, 40)}" is no time`);
  return ms;
}

export function readIpv4(text: string): Ipv4 {
  const address = tryParseIpv4(text);
  if (address === undefined) throw invalidBundle(`"${text.slice(0, 40)}" is no address`);
  return address;
}

export function readRange(text: string): Ipv4Cidr {
  try {
    return parseIpv4Cidr(text);
  } catch {
    throw invalidBundle(`"${text.slice(0, 40)}" is no range of addresses`);
  }
}

function tooMany(count: number): WeaveError {
  return new WeaveError(
    "BUNDLE_PEERS",
    `the bundle tells of ${count} peers, and no more than ${replayPeersMax} are replayed`,
    { remedy: "look at the document itself: zcat shows it" },
  );
}
