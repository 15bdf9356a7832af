import { useMemo } from "preact/hooks";
import type { Picture, PictureLink } from "../../api/picture-models.ts";
import { counted } from "../../base/counted.ts";
import { type HostClock, hostClocks } from "./host-clocks.ts";
import { Choice, ClockMark, HealthMark, Row } from "./parts.tsx";
import { NoProblems } from "./problem-list.tsx";
import type { Problem } from "./problems.ts";
import { ringUse } from "./ring-use.ts";
import { peerKey, peerTitle } from "./things.ts";
import { flowOf, type Rates, rateAt, rateText, totalRate } from "./traffic.ts";

export interface OverviewProps {
  readonly picture: Picture;
  readonly rates: Rates;
  /** Missing while nobody has looked yet. */
  readonly problems: readonly Problem[] | undefined;
  showProblems(): void;
  select(key: string): void;
}

/** Of problems, those that are named at once. */
const problemsMax = 3;

/** What to know before anything is chosen. */
export function Overview({ picture, rates, problems, showProblems, select }: OverviewProps) {
  return (
    <>
      <section aria-label="State">
        <State problems={problems} showProblems={showProblems} />
        <dl>
          <Row term="Traffic here">
            <Traffic picture={picture} rates={rates} />
          </Row>
          {picture.ring !== null && (
            <Row term="Addresses">
              <Addresses picture={picture} />
            </Row>
          )}
        </dl>
      </section>
      <Hosts picture={picture} rates={rates} select={select} />
    </>
  );
}

function State({ problems, showProblems }: Pick<OverviewProps, "problems" | "showProblems">) {
  if (problems === undefined) return <p class="faint">Looking for problems…</p>;
  if (problems.length === 0) return <NoProblems />;
  return (
    <>
      <h2>{counted(problems.length, "problem")}</h2>
      {problems.slice(0, problemsMax).map(({ code, sentence, severity }) => (
        <p key={code + sentence} class={`finding ${severity}`}>
          {sentence}
        </p>
      ))}
      <Choice onChoose={showProblems}>What to do</Choice>
    </>
  );
}

function Traffic({ picture, rates }: Pick<OverviewProps, "picture" | "rates">) {
  const isCounted = picture.links.some(({ own }) => own?.traffic);
  if (!isCounted) return <>not counted on this host</>;
  const total = totalRate(picture, rates);
  if (total === undefined) return <>being measured…</>;
  return (
    <>
      ↑ {rateText(total.sent)} ↓ {rateText(total.received)}
    </>
  );
}

function Addresses({ picture }: { picture: Picture }) {
  const use = useMemo(() => ringUse(picture), [picture]);
  const used = use.reduce((sum, each) => sum + each.used, 0);
  const { range, addresses } = picture.ring!;
  return (
    <>
      {used.toLocaleString("en")} of {addresses.toLocaleString("en")} in use ({range})
    </>
  );
}

function Hosts({ picture, rates, select }: Pick<OverviewProps, "picture" | "rates" | "select">) {
  const { peers, links, containers, self } = picture;
  const counts = new Map<string, number>();
  for (const { peer } of containers) counts.set(peer, (counts.get(peer) ?? 0) + 1);
  const own = new Map(
    links
      .filter((each) => each.own !== undefined)
      .map((link) => [link.from === self ? link.to : link.from, link]),
  );
  const clocks = hostClocks({ links, self });
  return (
    <section aria-label="Hosts">
      <h2>Hosts</h2>
      <ul class="plain hosts">
        {peers.map((peer) => (
          <li key={peer.name}>
            <p>
              <Choice onChoose={() => select(peerKey(peer.name))}>{peerTitle(peer)}</Choice>{" "}
              <span class="faint">
                {counted(counts.get(peer.name) ?? 0, "container")}
                {peer.name === self ? ", this host" : ""}
              </span>
              {!peer.reached && <span class="mark broken"> not reached</span>}
            </p>
            <WrongClock clock={clocks.get(peer.name)} />
            <OwnLink link={own.get(peer.name)} self={self} rates={rates} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function WrongClock({ clock }: { readonly clock: HostClock | undefined }) {
  if (clock === undefined || clock.state === "right") return null;
  return (
    <p>
      <ClockMark clock={clock} lead="clock " />
    </p>
  );
}

interface OwnLinkProps {
  readonly link: PictureLink | undefined;
  readonly self: string;
  readonly rates: Rates;
}

/** How this host is linked to another one. */
function OwnLink({ link, self, rates }: OwnLinkProps) {
  if (link?.own === undefined) return null;
  const flow = flowOf(link, rates);
  const rate = flow && rateAt(self, link, flow);
  const { roundTripMs } = link.own;
  return (
    <p class="faint">
      <HealthMark link={link} />
      {roundTripMs !== null && <> · {roundTripMs.toFixed(2)} ms</>}
      {rate !== undefined && (
        <>
          {" "}
          · ↑ {rateText(rate.sent)} ↓ {rateText(rate.received)}
        </>
      )}
    </p>
  );
}
