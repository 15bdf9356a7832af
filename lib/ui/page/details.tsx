import type { Picture, PictureContainer } from "../../api/picture-models.ts";
import { hostClocks } from "./host-clocks.ts";
import { LinkDetails } from "./link-details.tsx";
import { Choice, ClockMark, HealthMark, Row } from "./parts.tsx";
import { type QuestionKind, questionsAbout } from "./question.ts";
import { containerKey, linkKey, peerKey, type Thing, titleOf, titleOfPeer } from "./things.ts";
import type { Rates } from "./traffic.ts";

export interface DetailsProps {
  readonly picture: Picture;
  readonly rates: Rates;
  readonly thing: Thing;
  select(key: string): void;
}

/** Of containers of one host, in a list. */
const containersMax = 200;

/** What is chosen: what it is, what may be asked about it, and what is known of it. */
export function Chosen(props: DetailsProps & { ask(kind: QuestionKind): void }) {
  const { thing, picture, ask } = props;
  return (
    <section aria-labelledby="chosen">
      <h2 id="chosen">
        <span class="faint">{kinds[thing.kind]}</span> {titleOf(thing, picture)}
      </h2>
      <p class="actions">
        {questionsAbout(thing).map((kind) => (
          <button type="button" class="action" key={kind} onClick={() => ask(kind)}>
            {questions[kind]}
          </button>
        ))}
      </p>
      <Details {...props} />
    </section>
  );
}

const kinds = { peer: "Host", container: "Container", link: "Link", name: "Name" } as const;
const questions = {
  why: "Why does it (not) reach…",
  policy: "May it connect to…",
} as const satisfies Record<QuestionKind, string>;

function Details({ picture, rates, thing, select }: DetailsProps) {
  switch (thing.kind) {
    case "peer":
      return <PeerDetails picture={picture} name={thing.peer.name} select={select} />;
    case "link":
      return <LinkDetails {...{ picture, rates, select }} link={thing.link} />;
    case "container":
      return <ContainerDetails {...{ picture, select }} container={thing.container} />;
    case "name":
      return (
        <dl>
          <Row term="Address">{thing.name.address}</Row>
          <Row term="Answered by">
            <Choice onChoose={() => select(peerKey(thing.name.peer))}>
              {titleOfPeer(picture, thing.name.peer)}
            </Choice>
          </Row>
        </dl>
      );
  }
}

interface ContainerProps extends Pick<DetailsProps, "picture" | "select"> {
  readonly container: PictureContainer;
}

function ContainerDetails({ picture, container, select }: ContainerProps) {
  const { id, names, addresses, peer, namespace, labels } = container;
  return (
    <dl>
      <Row term="Host">
        <Choice onChoose={() => select(peerKey(peer))}>{titleOfPeer(picture, peer)}</Choice>
      </Row>
      <Row term="Addresses">{addresses.join(", ") || "none"}</Row>
      <Row term="Names">{names.join(", ") || "none"}</Row>
      {namespace !== "" && <Row term="Namespace">{namespace}</Row>}
      <Row term="Labels">
        <Labels labels={labels} />
      </Row>
      <Row term="Id">
        <code>{id}</code>
      </Row>
    </dl>
  );
}

function Labels({ labels }: Pick<PictureContainer, "labels">) {
  const pairs = Object.entries(labels);
  if (pairs.length === 0) return <>none</>;
  return (
    <span class="labels">
      {pairs.map(([key, value]) => (
        <code key={key} class="label">
          {key}={value}
        </code>
      ))}
    </span>
  );
}

function PeerDetails({
  picture,
  name,
  select,
}: Pick<DetailsProps, "picture" | "select"> & { name: string }) {
  const peer = picture.peers.find((each) => each.name === name);
  const links = picture.links.filter(({ from, to }) => from === name || to === name);
  const containers = picture.containers.filter((each) => each.peer === name);
  const owned = (picture.ring?.parts ?? []).filter((part) => part.peer === name);
  const addresses = owned.reduce((sum, { size }) => sum + size, 0);
  const clock = hostClocks(picture).get(name);
  return (
    <>
      <dl>
        <Row term="Peer">
          <code>{name}</code>
        </Row>
        <Row term="State">
          {name === picture.self ? "this host" : peer?.reached ? "reached" : "not reached"}
        </Row>
        {clock !== undefined && (
          <Row term="Clock">
            <ClockMark clock={clock} />
          </Row>
        )}
        {picture.ring && <Row term="Owns">{addresses.toLocaleString("en")} addresses</Row>}
      </dl>
      <h3>Links</h3>
      <ul class="plain">
        {links.map((link) => {
          const other = link.from === name ? link.to : link.from;
          return (
            <li key={other}>
              <Choice onChoose={() => select(linkKey(link))}>{titleOfPeer(picture, other)}</Choice>{" "}
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
