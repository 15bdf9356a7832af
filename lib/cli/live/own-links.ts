import type { LossFields } from "../../api/loss-model.ts";
import type { PictureLink } from "../../api/picture-models.ts";
import { byNumber } from "./by-number.ts";
import type { NetworkReading } from "./network-reading.ts";

type Carried = NonNullable<NonNullable<PictureLink["own"]>["traffic"]>;

/** A link of this host, or what it does to have one. */
export interface OwnLink {
  /** Where the other end is, by which the link is told from others. */
  readonly address: string;
  /** established, pending, connecting, retrying, failed or waiting. */
  readonly state: string;
  /** A peer name; undefined before the other end has introduced itself, as are the following. */
  readonly peer: string | undefined;
  readonly nickname: string | undefined;
  /** What carries frames; empty before it is known. */
  readonly overlay: string;
  readonly isEncrypted: boolean;
  /** Octets of a packet. */
  readonly mtu: number | undefined;
  readonly roundTripMs: number | undefined;
  /** Undefined where nothing counts. */
  readonly traffic: Carried | undefined;
  /** Undefined where the hosts have nothing to compare. */
  readonly loss: LossFields | undefined;
  /** RFC 3339: since when it takes this overlay. */
  readonly since: string | undefined;
  /** Why it is as it is: the choice of the overlay, or the last error. */
  readonly reason: string;
  /** What to do about the last failure. */
  readonly remedy: string | undefined;
}

/** In the order of nicknames; of attempts that know no peer, of addresses. */
export function ownLinks({ picture, report }: NetworkReading): OwnLink[] {
  const nicknames = new Map(picture.peers.map(({ name, nickname }) => [name, nickname]));
  const known = new Map(
    picture.links.flatMap((link) => (link.own === undefined ? [] : [[link.own.address, link]])),
  );
  return report.Router.Connections.map((connection): OwnLink => {
    const { Address, State, Info, Attrs, RoundTripMs, Reason, Remedy } = connection;
    const link = known.get(Address);
    const peer = link && (link.from === picture.self ? link.to : link.from);
    const isUp = State === "established";
    return {
      ...{ address: Address, state: State, peer, nickname: peer && nicknames.get(peer) },
      overlay: String(Attrs?.name ?? ""),
      isEncrypted: Attrs?.encrypted === true,
      mtu: typeof Attrs?.mtu === "number" ? Attrs.mtu : undefined,
      roundTripMs: isUp ? RoundTripMs : undefined,
      traffic: link?.own?.traffic ?? undefined,
      loss: link?.own?.loss ?? undefined,
      since: link?.own?.since ?? undefined,
      reason: (isUp ? Reason : Info) ?? "",
      remedy: Remedy,
    };
  }).toSorted((a, b) => byNumber(a.nickname ?? a.address, b.nickname ?? b.address));
}
