import { addressRing } from "./drawings/address-ring.ts";
import { framesOverHosts, newsBetweenHosts } from "./drawings/between-hosts.ts";
import { dockerStart } from "./drawings/docker-start.ts";
import type { Drawing } from "./drawings/drawing.ts";
import { firstNetwork } from "./drawings/first-network.ts";
import { frameByFastdp, frameBySleeve } from "./drawings/frame-ways.ts";
import { nameQuestion } from "./drawings/name-question.ts";
import { paletteOf } from "./drawings/palette.ts";
import { partsOfHosts } from "./drawings/parts-of-hosts.ts";
import { policyPlaces, policyTiers } from "./drawings/policy-places.ts";
import { takeover } from "./drawings/takeover.ts";

/** The style sheet whose colours drawings have. */
const style = "lib/ui/page/style.css";

const makers: ReadonlyArray<() => Drawing> = [
  partsOfHosts,
  frameBySleeve,
  frameByFastdp,
  framesOverHosts,
  newsBetweenHosts,
  addressRing,
  nameQuestion,
  takeover,
  policyPlaces,
  policyTiers,
  firstNetwork,
  dockerStart,
];

/**
 * The drawings of the documentation, by path in the repository.
 *
 * @param textOf a file of the repository
 */
export function drawingFiles(
  textOf: (path: string) => string,
): Array<{ path: string; text: string }> {
  const palette = paletteOf(textOf(style));
  return makers.map((make) => {
    const drawing = make();
    return { path: `docs/images/${drawing.head.name}.svg`, text: drawing.svg(palette) };
  });
}
