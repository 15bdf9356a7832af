import { clockState, clockText, farClockText, ownClock } from "../clock-offset.ts";
import type { ConnectionFact, Facts } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { peerLabel } from "../labels.ts";

type Shown = ConnectionFact & Required<Pick<ConnectionFact, "peer" | "clockOffsetMs">>;

/** Whether the clocks of neighbours are that of this host. */
export function checkClocks({ cluster }: Facts): Finding[] {
  const shown = (cluster?.mesh.connections ?? []).filter(isShown);
  const own = ownClock(shown.map(({ clockOffsetMs }) => clockOffsetMs));
  if (own !== undefined) {
    const sentence = `the clock of this host is ${clockText(own.offsetMs)} ${own.whose}`;
    return [clockFinding(own.offsetMs, "clock", sentence)];
  }
  const off = shown.filter(({ clockOffsetMs }) => clockState(clockOffsetMs) !== "right");
  return off.map(({ peer, clockOffsetMs }) => {
    const who = peerLabel(peer);
    const sentence = `the clock of ${who} is ${clockText(clockOffsetMs)} that of this host`;
    return clockFinding(clockOffsetMs, who, sentence);
  });
}

/** Whether it was found out that names of this peer are refused because of its clock. */
export function isClockFar({ cluster }: Facts, peer: string): boolean {
  return (cluster?.mesh.connections ?? []).some(
    (each) => each.peer?.name === peer && clockState(each.clockOffsetMs ?? 0) === "far",
  );
}

function isShown(connection: ConnectionFact): connection is Shown {
  return connection.peer !== undefined && connection.clockOffsetMs !== undefined;
}

function clockFinding(offsetMs: number, about: string, sentence: string): Finding {
  const isFar = clockState(offsetMs) === "far";
  const consequence = isFar ? `: ${farClockText}` : "";
  return finding(isFar ? "CLOCK_SKEW" : "CLOCK_OFF", about, `${sentence}${consequence}`, {
    commands: ["timedatectl set-ntp true"],
  });
}
