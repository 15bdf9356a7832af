import { utf8 } from "../base/bytes.ts";

/**
 * A message of the syslog protocol (RFC 5424, section 6):
 *
 *   <29>1 2026-01-02T15:04:05.000Z host1 weave 4711 link.lost [weave@32473 peer="…"] BOM text
 *    │  │  timestamp               host  app   proc msgid     │          │
 *    │  version                                               SD-ID      parameters
 *    facility · 8 + severity
 *
 * A part that is empty is written as `-`.
 */
export interface SyslogMessage {
  readonly facility: SyslogFacility;
  readonly severity: SyslogSeverity;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly host: string;
  readonly program: string;
  readonly process: string;
  readonly kind: string;
  readonly data: StructuredData;
  readonly text: string;
}

/** One element; names are made to fit, values are taken as they are. */
export interface StructuredData {
  /** `name@` and the number of an enterprise. */
  readonly id: string;
  readonly parameters: ReadonlyArray<readonly [name: string, value: string]>;
}

/** RFC 5424, table 1: those that daemons use. */
export const syslogFacilities = {
  user: 1,
  daemon: 3,
  auth: 4,
  authpriv: 10,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;

export type SyslogFacility = keyof typeof syslogFacilities;

export const syslogFacilityNames = Object.keys(syslogFacilities) as readonly SyslogFacility[];

/** RFC 5424, table 2. */
export const syslogSeverities = { warning: 4, notice: 5, info: 6 } as const;

export type SyslogSeverity = keyof typeof syslogSeverities;

/** Octets of the parts of a header (section 6), and of names in structured data. */
const partMax = { host: 255, program: 48, process: 128, kind: 32, name: 32 } as const;

/** Characters of one value: together with the number of them they keep a message to some kilobytes. */
const valueCharactersMax = 512;
const textCharactersMax = 1024;

/** Says that what follows is UTF-8 (section 6.4). */
const byteOrderMark = "\ufeff";

export function encodeSyslogMessage(message: SyslogMessage): Uint8Array {
  const { facility, severity, atMs, host, program, process, kind, data, text } = message;
  const priority = syslogFacilities[facility] * 8 + syslogSeverities[severity];
  const header = [
    `<${priority}>1`,
    new Date(atMs).toISOString(),
    printable(host, partMax.host),
    printable(program, partMax.program),
    printable(process, partMax.process),
    printable(kind, partMax.kind),
    structuredText(data),
  ].join(" ");
  return utf8(`${header} ${byteOrderMark}${shortened(oneLine(text), textCharactersMax)}`);
}

/** Octet counting, for streams (RFC 6587, section 3.4.1): `<length> <message>`. */
export function countedFrame(message: Uint8Array): Uint8Array {
  const length = utf8(`${message.length} `);
  const frame = new Uint8Array(length.length + message.length);
  frame.set(length);
  frame.set(message, length.length);
  return frame;
}

function structuredText({ id, parameters }: StructuredData): string {
  const pairs = parameters.map(
    ([name, value]) =>
      ` ${parameterName(name)}="${escaped(shortened(oneLine(value), valueCharactersMax))}"`,
  );
  return `[${id}${pairs.join("")}]`;
}

/** Visible ASCII alone (PRINTUSASCII). */
function printable(text: string, lengthMax: number): string {
  return text.replace(/[^!-~]/g, "?").slice(0, lengthMax) || "-";
}

/** SD-NAME: of that also no `=`, `]` and `"`. */
function parameterName(text: string): string {
  return text.replace(/[^!-~]|[="\]]/g, "_").slice(0, partMax.name) || "_";
}

/** In a value `"`, `\` and `]` stand behind a backslash (section 6.3.3). */
function escaped(value: string): string {
  return value.replace(/["\\\]]/g, "\\$&");
}

/** Receivers write a line for each message, and some end one at a control character. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, " ");
}

/** Without cutting a character in two. */
function shortened(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text.toWellFormed();
  return `${text.slice(0, charactersMax - 1).toWellFormed()}…`;
}
