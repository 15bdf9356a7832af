import type { Picture, PictureLink } from "../../api/picture-models.ts";
import { Choice, HealthMark, Row } from "./parts.tsx";
import { SparkLine } from "./spark-line.tsx";
import { linkKey, peerKey, titleOfPeer } from "./things.ts";
import { octetsText, type Rates, rateText } from "./traffic.ts";

export interface LinkDetailsProps {
  readonly picture: Picture;
  readonly rates: Rates;
  readonly link: PictureLink;
  select(key: string): void;
}

/** What a link carries, how, and how well. */
export function LinkDetails({ picture, rates, link, select }: LinkDetailsProps) {
  const { own } = link;
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
        {own === undefined ? (
          <Row term="More">is known on these two hosts: open the page there</Row>
        ) : (
          <OwnRows own={own} rates={rates.get(linkKey(link)) ?? []} />
        )}
      </dl>
    </>
  );
}

interface OwnRowsProps {
  readonly own: NonNullable<PictureLink["own"]>;
  readonly rates: NonNullable<ReturnType<Rates["get"]>>;
}

function OwnRows({ own, rates }: OwnRowsProps) {
  const rate = rates.at(-1);
  return (
    <>
      {rate !== undefined && (
        <Row term="Traffic">
          ↑ {rateText(rate.sent)} ↓ {rateText(rate.received)}
          <SparkLine rates={rates} />
        </Row>
      )}
      {own.traffic !== null && (
        <Row term="Carried">
          ↑ {octetsText(own.traffic.sentBytes)} ↓ {octetsText(own.traffic.receivedBytes)}
        </Row>
      )}
      <Row term="Round trip">
        {own.roundTripMs === null ? "not known yet" : `${own.roundTripMs.toFixed(2)} ms`}
      </Row>
      <Row term="Packet size">{own.mtu === null ? "not known yet" : `${own.mtu} octets`}</Row>
      <Row term="Encrypted">{own.encrypted ? "yes" : "no"}</Row>
      <Row term="Overlay">{own.overlay || "not known yet"}</Row>
      {own.reason && <Row term="Because">{own.reason}</Row>}
      <Row term="Address">{own.address}</Row>
      {own.since && <Row term="Since">{new Date(own.since).toLocaleString()}</Row>}
      <Row term="Says">{own.info}</Row>
    </>
  );
}
