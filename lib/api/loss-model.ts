import * as v from "valibot";
import { told } from "./json-schema.ts";
import type { LossReport, LossWayReport } from "./loss-report.ts";

const way = v.object({
  frames: told(v.number(), "of containers, that were sent"),
  lost: told(v.number(), "that did not arrive"),
  share: told(v.nullable(v.number()), "lost of sent, 0 to 1; null of fewer than 100 frames"),
});

/** What got lost between two hosts, as picture and `--json` have it. */
export const lossModel = v.object({
  seconds: told(v.number(), "of the last so many seconds"),
  to: told(way, "to the other host"),
  from: told(way, "from it"),
});

export type LossFields = v.InferOutput<typeof lossModel>;

export function lossFields({ Seconds, To, From }: LossReport): LossFields {
  return { seconds: Seconds, to: wayFields(To), from: wayFields(From) };
}

function wayFields({ Frames, Lost, Share }: LossWayReport): LossFields["to"] {
  return { frames: Frames, lost: Lost, share: Share };
}

/** A share that is worth a look, as that at which doctor tells of it. */
export const lossToMind = 0.01;

/** The larger share of both ways, 0 to 1; `undefined` while none is known. */
export function worstShare(loss: LossFields | null | undefined): number | undefined {
  const shares = [loss?.to.share, loss?.from.share].filter((share) => typeof share === "number");
  return shares.length === 0 ? undefined : Math.max(...shares);
}
