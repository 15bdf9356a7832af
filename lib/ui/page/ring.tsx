import type { Picture } from "../../api/picture-models.ts";
import { Choice } from "./parts.tsx";
import { type OwnerUse, ringUse } from "./ring-use.ts";
import { peerKey, peerTitle } from "./things.ts";

const middle = 100;
const outer = 92;
const inner = 64;

/** Who owns which addresses, as the circle that the range is, and how many are in use. */
export function Ring({ picture, select }: { picture: Picture; select(key: string): void }) {
  const { ring } = picture;
  if (ring === null) return <p class="faint">This router allocates no addresses.</p>;
  if (ring.parts.length === 0) {
    return <p class="faint">The hosts have not agreed yet on who owns which addresses.</p>;
  }
  const owners = ringUse(picture);
  const colourOf = new Map(owners.map(({ peer }, index) => [peer, `owner${index % 8}`]));
  const total = ring.parts.reduce((sum, { size }) => sum + size, 0);
  const used = owners.reduce((sum, owner) => sum + owner.used, 0);
  let at = 0;
  const arcs = ring.parts.map((part) => {
    const begin = at / total;
    at += part.size;
    return { ...part, begin, end: at / total };
  });
  return (
    <>
      <svg class="ring" viewBox="0 0 200 200" role="img" aria-label={`Addresses of ${ring.range}`}>
        {arcs.map(({ first, peer, begin, end, size }) => (
          <path key={first} d={arc(begin, end)} class={colourOf.get(peer)}>
            <title>{`${first}, ${size} addresses`}</title>
          </path>
        ))}
        <text x={middle} y={middle - 4}>
          {ring.range}
        </text>
        <text x={middle} y={middle + 13} class="small">
          {`${used.toLocaleString("en")} of ${total.toLocaleString("en")} in use`}
        </text>
      </svg>
      <ul class="plain owners">
        {owners.map((owner) => (
          <Owner
            key={owner.peer}
            {...{ owner, picture, select }}
            share={owner.owned / total}
            colour={colourOf.get(owner.peer) ?? ""}
          />
        ))}
      </ul>
    </>
  );
}

interface OwnerProps {
  readonly owner: OwnerUse;
  readonly picture: Picture;
  readonly share: number;
  readonly colour: string;
  select(key: string): void;
}

function Owner({ owner, picture, share, colour, select }: OwnerProps) {
  const peer = picture.peers.find(({ name }) => name === owner.peer);
  const free = owner.owned - owner.used;
  return (
    <li>
      <p>
        <span class={`swatch ${colour}`} aria-hidden="true" />
        {peer ? (
          <Choice onChoose={() => select(peerKey(owner.peer))}>{peerTitle(peer)}</Choice>
        ) : (
          <span class="mark broken">{owner.peer}, gone</span>
        )}
        <span class="faint right">{`${(100 * share).toFixed(1)} % of the range`}</span>
      </p>
      <progress value={owner.used} max={owner.owned} aria-label="In use" />
      <p class="faint">
        {`${owner.used.toLocaleString("en")} in use, ${free.toLocaleString("en")} free`}
      </p>
    </li>
  );
}

/** A piece of the ring; a whole one is two halves, because an arc has two ends. */
function arc(begin: number, end: number): string {
  if (end - begin > 0.999) return `${arc(0, 0.5)} ${arc(0.5, 1)}`;
  const point = (share: number, radius: number): string => {
    const angle = 2 * Math.PI * share - Math.PI / 2;
    return `${middle + radius * Math.cos(angle)} ${middle + radius * Math.sin(angle)}`;
  };
  const large = end - begin > 0.5 ? 1 : 0;
  return (
    `M ${point(begin, outer)} A ${outer} ${outer} 0 ${large} 1 ${point(end, outer)} ` +
    `L ${point(end, inner)} A ${inner} ${inner} 0 ${large} 0 ${point(begin, inner)} Z`
  );
}
