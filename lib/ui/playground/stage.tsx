/** A host on the stage. */
export interface StageHost {
  readonly number: number;
  readonly label: string;
  readonly isRunning: boolean;
  /** Which part of the network it is in, from 0 on. */
  readonly part: number;
  readonly note: string;
}

export interface StageLink {
  readonly a: number;
  readonly b: number;
  readonly state: "carries" | "coming" | "cut" | "one way";
  /** What somebody hears who does not see it. */
  readonly title: string;
  /** Of a one-way cut: whose words are lost. */
  readonly deafTo?: number;
}

export interface StageFlight {
  readonly key: string;
  readonly from: number;
  readonly to: number;
  /** From 0, where it departs, to 1. */
  readonly progress: number;
  readonly kind: string;
}

interface StageProps {
  readonly hosts: readonly StageHost[];
  readonly links: readonly StageLink[];
  readonly flights: readonly StageFlight[];
  readonly selected: number;
  select(number: number): void;
  /** A link was clicked; `isOneWay` with the shift key, or by the key O. */
  toggle?(link: StageLink, isOneWay: boolean): void;
}

/** Of the plane, in units of its own; the style sheet has the same proportions. */
const width = 560;
const height = 470;
const radius = 176;
/** With more hosts than this circles are small, and have their numbers alone. */
const largeMax = 12;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Hosts in a circle, the links between them and what flies along these. */
export function Stage({ hosts, links, flights, selected, select, toggle }: StageProps) {
  const place = (number: number): Point => {
    const index = hosts.findIndex((host) => host.number === number);
    const angle = (2 * Math.PI * index) / hosts.length - Math.PI / 2;
    return { x: width / 2 + radius * Math.cos(angle), y: height / 2 + radius * Math.sin(angle) };
  };
  const isCrowded = hosts.length > largeMax;
  return (
    <div class="stage">
      <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {links.map(({ a, b, state }) => {
          const [start, end] = [place(a), place(b)];
          const ends = { x1: start.x, y1: start.y, x2: end.x, y2: end.y };
          return <line key={`${a} ${b}`} {...ends} class={`link ${state.replace(" ", "-")}`} />;
        })}
        {flights.map(({ key, from, to, progress, kind }) => {
          const { x, y } = between(place(from), place(to), progress);
          return <circle key={key} class={`flight ${kind}`} cx={x} cy={y} r="4.5" />;
        })}
      </svg>
      {toggle !== undefined &&
        links.map((link) => <Cable key={`${link.a} ${link.b}`} {...{ link, place, toggle }} />)}
      {hosts.map((host) => (
        <button
          type="button"
          key={host.number}
          class={`host part${host.part % 8} ${host.isRunning ? "" : "dead"} ${isCrowded ? "small" : ""}`}
          style={spot(place(host.number))}
          aria-pressed={selected === host.number}
          aria-label={`Host ${host.label}${host.isRunning ? "" : ", dead"}`}
          title={host.label}
          onClick={() => select(host.number)}
        >
          <b>{isCrowded ? host.number : host.label.slice(0, 8)}</b>
          {!isCrowded && <span>{host.note}</span>}
        </button>
      ))}
    </div>
  );
}

/** What a link is cut and healed by. */
function Cable({
  link,
  place,
  toggle,
}: {
  link: StageLink;
  place: (number: number) => Point;
  toggle: NonNullable<StageProps["toggle"]>;
}) {
  const [start, end] = [place(link.a), place(link.b)];
  return (
    <button
      type="button"
      class={`cable ${link.state.replace(" ", "-")}`}
      style={spot(between(start, end, 0.5))}
      aria-label={link.title}
      title={link.title}
      onClick={(event) => toggle(link, event.shiftKey)}
      onKeyDown={(event) => {
        if (event.key.toLowerCase() === "o") toggle(link, true);
      }}
    >
      <svg viewBox="-10 -10 20 20" aria-hidden="true">
        <path d={sign(link, start, end)} />
      </svg>
    </button>
  );
}

/** A cross for a cut, an arrow to who hears nothing, scissors for what may be cut. */
function sign(link: StageLink, start: Point, end: Point): string {
  if (link.state === "cut") return "M-5-5 5 5M-5 5 5-5";
  if (link.state !== "one way") {
    return "M-3 3 4-8M3 3-4-8M-7 5a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0M2.6 5a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0";
  }
  const way = link.deafTo === link.a ? 1 : -1;
  const angle = Math.atan2((end.y - start.y) * way, (end.x - start.x) * way);
  const turned = (x: number, y: number): string =>
    `${x * Math.cos(angle) - y * Math.sin(angle)} ${x * Math.sin(angle) + y * Math.cos(angle)}`;
  return `M${turned(-6, 0)} L${turned(2, 0)} M${turned(5, -6)} L${turned(5, 6)}`;
}

function between(a: Point, b: Point, share: number): Point {
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
}

function spot({ x, y }: Point): { left: string; top: string } {
  return { left: `${(100 * x) / width}%`, top: `${(100 * y) / height}%` };
}
