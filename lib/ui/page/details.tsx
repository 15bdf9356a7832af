import type { ComponentChildren } from "preact";
import type { Picture, PictureLink } from "../../api/picture-models.ts";
import {
  containerKey,
  healthOf,
  linkKey,
  peerKey,
  peerTitle,
  type Thing,
  titleOf,
} from "./things.ts";

export interface DetailsProps {
  readonly picture: Picture;
  readonly thing: Thing;
  select(key: string): void;
}

/** Of containers of one host, in a list. */
const containersMax = 200;

/** What is known of a thing. */
export function Details({ picture, thing, select }: DetailsProps) {
  switch (thing.kind) {
    case "peer":
      return <PeerDetails picture={picture} name={thing.peer.name} select={select} />;
    case "link":
      return <LinkDetails picture={picture} link={thing.link} select={select} />;
    case "container": {
      const { id, names, addresses, peer } = thing.container;
      const host = picture.peers.find(({ name }) => name === peer);
      return (
        <dl>
          <Row term="Host">
            <Choice onChoose={() => select(peerKey(peer))}>{host ? peerTitle(host) : peer}</Choice>
          </Row>
          <Row term="Addresses">{addresses.join(", ") || "none"}</Row>
          <Row term="Names">{names.join(", ") || "none"}</Row>
          <Row term="Id">
            <code>{id}</code>
          </Row>
        </dl>
      );
    }
  }
}

function PeerDetails({ picture, name, select }: Omit<DetailsProps, "thing"> & { name: string }) {
  const peer = picture.peers.find((each) => each.name === name);
  const links = picture.links.filter(({ from, to }) => from === name || to === name);
  const containers = picture.containers.filter((each) => each.peer === name);
  const owned = (picture.ring?.parts ?? []).filter((part) => part.peer === name);
  const addresses = owned.reduce((sum, { size }) => sum + size, 0);
  return (
    <>
      <dl>
        <Row term="Peer">
          <code>{name}</code>
        </Row>
        <Row term="State">
          {name === picture.self ? "this host" : peer?.reached ? "reached" : "not reached"}
        </Row>
        {picture.ring && <Row term="Owns">{addresses.toLocaleString("en")} addresses</Row>}
      </dl>
      <h3>Links</h3>
      <ul class="plain">
        {links.map((link) => {
          const other = link.from === name ? link.to : link.from;
          const there = picture.peers.find((each) => each.name === other);
          return (
            <li key={other}>
              <Choice onChoose={() => select(linkKey(link))}>
                {there ? peerTitle(there) : other}
              </Choice>{" "}
              <HealthMark link={link} />
            </li>
          );
        })}
        {links.length === 0 && <li class="faint">none</li>}
      </ul>
      <h3>Containers</h3>
      <ul class="plain">
        {containers.slice(0, containersMax).map((each) => (
          <li key={each.id}>
            <Choice onChoose={() => select(containerKey(each))}>{each.name}</Choice>{" "}
            <span class="faint">{each.addresses[0]}</span>
          </li>
        ))}
        {containers.length > containersMax && (
          <li class="faint">and {containers.length - containersMax} more: search for them</li>
        )}
        {containers.length === 0 && <li class="faint">none that are known here</li>}
      </ul>
    </>
  );
}

function LinkDetails({
  picture,
  link,
  select,
}: Omit<DetailsProps, "thing"> & { link: PictureLink }) {
  const { own } = link;
  const ends = [link.from, link.to].map((name) => ({
    name,
    title: picture.peers.filter((each) => each.name === name).map(peerTitle)[0] ?? name,
  }));
  return (
    <>
      <p>
        <HealthMark link={link} />
      </p>
      <dl>
        <Row term="Between">
          {ends.map(({ name, title }, index) => (
            <span key={name}>
              {index === 1 && " and "}
              <Choice onChoose={() => select(peerKey(name))}>{title}</Choice>
            </span>
          ))}
        </Row>
        {own === undefined ? (
          <Row term="More">is known on these two hosts: open the page there</Row>
        ) : (
          <>
            <Row term="Address">{own.address}</Row>
            <Row term="Overlay">{own.overlay || "not known yet"}</Row>
            {own.reason && <Row term="Because">{own.reason}</Row>}
            <Row term="Encrypted">{own.encrypted ? "yes" : "no"}</Row>
            <Row term="Packet size">{own.mtu === null ? "not known yet" : `${own.mtu} octets`}</Row>
            <Row term="Round trip">
              {own.roundTripMs === null ? "not known yet" : `${own.roundTripMs.toFixed(2)} ms`}
            </Row>
            {own.since && <Row term="Since">{new Date(own.since).toLocaleString()}</Row>}
            <Row term="Says">{own.info}</Row>
          </>
        )}
      </dl>
    </>
  );
}

/** Health in words and colour: colour alone says nothing to many. */
export function HealthMark({ link }: { link: PictureLink }) {
  const health = healthOf(link);
  const words = link.own?.overlay || "established";
  const text = health === "broken" ? (link.own?.state ?? "not established") : words;
  return (
    <span class={`mark ${health}`}>
      {text}
      {link.own?.encrypted ? ", encrypted" : ""}
    </span>
  );
}

export function Row({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </>
  );
}

export function Choice({ onChoose, children }: { onChoose(): void; children: ComponentChildren }) {
  return (
    <button type="button" class="choice" onClick={onChoose}>
      {children}
    </button>
  );
}

export function Heading({ picture, thing }: { picture: Picture; thing: Thing }) {
  const kinds = { peer: "Host", container: "Container", link: "Link" } as const;
  return (
    <h2 id="chosen">
      <span class="faint">{kinds[thing.kind]}</span> {titleOf(thing, picture)}
    </h2>
  );
}
