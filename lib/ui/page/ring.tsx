import type { Picture } from "../../api/picture-models.ts";
import { Choice } from "./details.tsx";
import { peerKey, peerTitle } from "./things.ts";

const middle = 100;
const outer = 92;
const inner = 62;

/** Who owns which addresses, as the circle that the range is. */
export function Ring({ picture, select }: { picture: Picture; select(key: string): void }) {
  const { ring, peers } = picture;
  if (ring === null) return <p class="faint">This router allocates no addresses.</p>;
  if (ring.parts.length === 0) {
    return <p class="faint">The hosts have not agreed yet on who owns which addresses.</p>;
  }
  const owners = [...new Set(ring.parts.map(({ peer }) => peer))].sort();
  const total = ring.parts.reduce((sum, { size }) => sum + size, 0);
  const owned = (peer: string): number =>
    ring.parts.reduce((sum, part) => sum + (part.peer === peer ? part.size : 0), 0);
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
          <path key={first} d={arc(begin, end)} class={`owner${owners.indexOf(peer) % 8}`}>
            <title>{`${first}, ${size} addresses`}</title>
          </path>
        ))}
        <text x={middle} y={middle - 4}>
          {ring.range}
        </text>
        <text x={middle} y={middle + 14} class="small">
          {ring.active.toLocaleString("en")} in use here
        </text>
      </svg>
      <ul class="plain">
        {owners.map((owner, index) => {
          const peer = peers.find(({ name }) => name === owner);
          const share = (100 * owned(owner)) / total;
          return (
            <li key={owner}>
              <span class={`swatch owner${index % 8}`} aria-hidden="true" />
              {peer ? (
                <Choice onChoose={() => select(peerKey(owner))}>{peerTitle(peer)}</Choice>
              ) : (
                <span class="mark broken">{owner}, gone</span>
              )}{" "}
              <span class="faint">
                {owned(owner).toLocaleString("en")} addresses, {share.toFixed(1)} %
              </span>
            </li>
          );
        })}
      </ul>
    </>
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
