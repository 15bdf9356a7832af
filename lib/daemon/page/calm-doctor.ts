import type { EventControl } from "../../api/event-models.ts";
import type { DiagnosisControl } from "../../api/router-control.ts";
import type { World } from "../../base/world.ts";
import type { Diagnosis } from "../../diagnosis/doctor/diagnosis.ts";

/** For so long an answer is good for everybody who asks. */
const freshMs = 5000;

/** While nothing happens the doctor works at most one part in so many of the time. */
const restShare = 30;

interface Look {
  readonly answer: Promise<Diagnosis>;
  /** The latest event when it began. */
  readonly eventId: number;
  /** Missing while it goes on. */
  ended?: { readonly atMs: number; readonly tookMs: number };
}

/**
 * A doctor who may be asked as often as anybody likes. It looks at rules, devices and containers by
 * calls that may take long; so it looks once for all who ask at the same time, and rests between,
 * unless something has happened since.
 */
export function calmly(
  diagnosis: DiagnosisControl,
  events: Pick<EventControl, "read">,
  { monotonicMs }: Pick<World, "monotonicMs">,
): DiagnosisControl {
  let last: Look | undefined;
  const begin = (): Look => {
    const beganMs = monotonicMs();
    const eventId = events.read({}).at(-1)?.id ?? 0;
    const look: Look = { answer: diagnosis.doctor(), eventId };
    const end = (): void => {
      const atMs = monotonicMs();
      look.ended = { atMs, tookMs: atMs - beganMs };
    };
    look.answer.then(end, end);
    return look;
  };
  const isGood = ({ ended, eventId }: Look): boolean => {
    if (ended === undefined) return true;
    const restMs = monotonicMs() - ended.atMs;
    if (restMs < freshMs) return true;
    const isQuiet = events.read({ afterId: eventId }).length === 0;
    return isQuiet && restMs < restShare * ended.tookMs;
  };
  return {
    doctor() {
      if (last === undefined || !isGood(last)) last = begin();
      return last.answer;
    },
    why: (from, to) => diagnosis.why(from, to),
  };
}
