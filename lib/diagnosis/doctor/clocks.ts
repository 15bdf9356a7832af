import type { ConnectionFact, Facts } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { peerLabel } from "../labels.ts";

/** Hosts that keep their clocks by NTP are milliseconds apart. */
const offMs = 30_000;

/** Names are refused of a peer whose clock is 15 minutes off (lib/dns): this is soon before. */
const farMs = 10 * 60_000;

type Shown = ConnectionFact & Required<Pick<ConnectionFact, "peer" | "clockOffsetMs">>;

/** Whether the clocks of neighbours are that of this host. */
export function checkClocks({ cluster }: Facts): Finding[] {
  const shown = (cluster?.mesh.connections ?? []).filter(isShown);
  const off = shown.filter(({ clockOffsetMs }) => Math.abs(clockOffsetMs) >= offMs);
  const own = ownOffsetMs(shown, off);
  if (own !== undefined) {
    const sentence = `the clock of this host is ${apart(-own)} those of ${off.length} of ${shown.length} neighbours`;
    return [clockFinding(own, "clock", sentence)];
  }
  return off.map(({ peer, clockOffsetMs }) => {
    const who = peerLabel(peer);
    const sentence = `the clock of ${who} is ${apart(clockOffsetMs)} that of this host`;
    return clockFinding(clockOffsetMs, who, sentence);
  });
}

/** Whether it was found out that names of this peer are refused because of its clock. */
export function isClockFar({ cluster }: Facts, peer: string): boolean {
  return (cluster?.mesh.connections ?? []).some(
    (each) => each.peer?.name === peer && Math.abs(each.clockOffsetMs ?? 0) >= farMs,
  );
}

function isShown(connection: ConnectionFact): connection is Shown {
  return connection.peer !== undefined && connection.clockOffsetMs !== undefined;
}

/** When most neighbours are off to one side it is this host that is wrong, by what the middle one says. */
function ownOffsetMs(shown: readonly Shown[], off: readonly Shown[]): number | undefined {
  const offsets = off.map(({ clockOffsetMs }) => clockOffsetMs).toSorted((a, b) => a - b);
  const isOneSided = offsets.every((each) => Math.sign(each) === Math.sign(offsets[0]!));
  if (shown.length < 2 || off.length * 2 <= shown.length || !isOneSided) return undefined;
  return offsets[Math.floor(offsets.length / 2)];
}

function apart(offsetMs: number): string {
  return `${spanText(Math.abs(offsetMs))} ${offsetMs < 0 ? "behind" : "ahead of"}`;
}

function clockFinding(offsetMs: number, about: string, sentence: string): Finding {
  const isFar = Math.abs(offsetMs) >= farMs;
  const consequence = isFar ? ": names are refused from 15 min on" : "";
  return finding(isFar ? "CLOCK_SKEW" : "CLOCK_OFF", about, `${sentence}${consequence}`, {
    commands: ["timedatectl set-ntp true"],
  });
}

/** `45 s`, `12 min`, `3 h`: in the largest unit of which there are two, rounded down. */
function spanText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}
