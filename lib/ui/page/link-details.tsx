import { type Difference, differences, linkFacts, silentEnds } from "../../api/link-ends.ts";
import type { Picture, PictureLink } from "../../api/picture-models.ts";
import { lostText } from "../../base/share-text.ts";
import { hostClocks } from "./host-clocks.ts";
import { Choice, ClockMark, HealthMark, Row } from "./parts.tsx";
import { SparkLine } from "./spark-line.tsx";
import { linkKey, peerKey, titleOfPeer } from "./things.ts";
import { octetsText, type Rates, rateAt, rateText } from "./traffic.ts";

export interface LinkDetailsProps {
  readonly picture: Picture;
  readonly rates: Rates;
  readonly link: PictureLink;
  select(key: string): void;
}

/** What a link carries, how, and how well. */
export function LinkDetails({ picture, rates, link, select }: LinkDetailsProps) {
  const { own } = link;
  const parts = { picture, rates, link };
  return (
    <>
      <p>
        <HealthMark link={link} />
      </p>
      <dl>
        <Row term="Between">
          {[link.from, link.to].map((name, index) => (
            <span key={name}>
              {index === 1 && " and "}
              <Choice onChoose={() => select(peerKey(name))}>{titleOfPeer(picture, name)}</Choice>
            </span>
          ))}
        </Row>
        <TrafficRows {...parts} />
        <FactRows {...parts} />
        <ClockRows {...parts} />
        {own === undefined ? <ToldRow {...parts} /> : <OwnRows own={own} />}
      </dl>
    </>
  );
}

type Parts = Pick<LinkDetailsProps, "picture" | "rates" | "link">;

/** Seen from this host, or from the end whose counts there are. */
function TrafficRows({ picture, rates, link }: Parts) {
  const readings = rates.get(linkKey(link)) ?? [];
  const latest = readings.at(-1);
  const teller = link.own ? picture.self : link.ends.from?.traffic ? link.from : link.to;
  const rate = latest && rateAt(teller, link, latest);
  const { traffic: carried, loss } = (teller === link.from ? link.ends.from : link.ends.to) ?? {};
  const at = link.own ? "" : ` at ${titleOfPeer(picture, teller)}`;
  return (
    <>
      {rate !== undefined && (
        <Row term="Traffic">
          ↑ {rateText(rate.sent)} ↓ {rateText(rate.received)}
          {at}
          <SparkLine rates={readings} />
        </Row>
      )}
      {carried && (
        <Row term="Carried">
          ↑ {octetsText(carried.sentBytes)} ↓ {octetsText(carried.receivedBytes)}
          {at}
        </Row>
      )}
      {loss && (
        <Row term="Lost">
          ↑ {lostText(loss.to)} ↓ {lostText(loss.from)} in {loss.seconds} s{at}
        </Row>
      )}
    </>
  );
}

/** What both ends say alike, and where they differ what each says. */
function FactRows({ picture, link }: Parts) {
  const { overlay, encrypted, mtu, roundTripMs } = linkFacts(link);
  const found = differences(link);
  const [from, to] = [titleOfPeer(picture, link.from), titleOfPeer(picture, link.to)];
  const unknown = link.own || silentEnds(picture, link).length < 2 ? "not known yet" : "not told";
  const value = (what: Difference["what"], same: string): string => {
    const other = found.find((each) => each.what === what);
    return other === undefined ? same : `${other.from} at ${from}, ${other.to} at ${to}`;
  };
  return (
    <>
      <Row term="Round trip">
        {roundTripMs === undefined ? unknown : `${roundTripMs.toFixed(2)} ms`}
      </Row>
      <Row term="Packet size">{value("mtu", mtu === undefined ? unknown : `${mtu} octets`)}</Row>
      <Row term="Encrypted">
        {value("encrypted", encrypted === undefined ? unknown : encrypted ? "yes" : "no")}
      </Row>
      <Row term="Overlay">{value("overlay", overlay || unknown)}</Row>
    </>
  );
}

/** Clocks of the hosts of a link of this host, as far as that has compared them with its own. */
function ClockRows({ picture, link }: Parts) {
  if (link.own === undefined) return null;
  const clocks = hostClocks(picture);
  return (
    <>
      {[link.from, link.to].map((name) => {
        const clock = clocks.get(name);
        if (clock === undefined) return null;
        return (
          <Row key={name} term="Clock">
            {titleOfPeer(picture, name)}: <ClockMark clock={clock} />
          </Row>
        );
      })}
    </>
  );
}

function OwnRows({ own }: { readonly own: NonNullable<PictureLink["own"]> }) {
  return (
    <>
      {own.reason && <Row term="Because">{own.reason}</Row>}
      <Row term="Address">{own.address}</Row>
      {own.since && <Row term="Since">{new Date(own.since).toLocaleString()}</Row>}
      <Row term="Says">{own.info}</Row>
    </>
  );
}

/** When the ends of a link of others have told of it. */
function ToldRow({ picture, link }: Parts) {
  const silent = new Set(silentEnds(picture, link));
  const texts = [link.from, link.to].map((name) => {
    const at = picture.peers.find((each) => each.name === name)?.told?.at;
    const title = titleOfPeer(picture, name);
    if (silent.has(name) || at === undefined) return `nothing by ${title}`;
    return `by ${title} at ${new Date(at).toLocaleTimeString()}`;
  });
  return <Row term="Told">{texts.join(", ")}</Row>;
}
