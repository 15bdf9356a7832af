import { eventKinds, eventText } from "../../../base/event-kinds.ts";
import type { NetworkEvent } from "../../../base/network-event.ts";
import type { SyslogFacility, SyslogMessage } from "../../../wire/syslog-message.ts";

/**
 * Names that no standard has belong to an enterprise by its number (RFC 5424, section 7.2.2). This
 * one stands for no enterprise in particular (RFC 5612).
 */
const dataId = "weave@32473";

/** Whose events they are. */
export interface EventOrigin {
  readonly facility: SyslogFacility;
  readonly host: string;
  readonly pid: number;
}

/** An event with its details as structured data, lists with commas. */
export function syslogMessage(event: NetworkEvent, origin: EventOrigin): SyslogMessage {
  const { facility, host, pid } = origin;
  const { id, atMs, kind, details, by } = event;
  const { isAsked, isTrouble } = eventKinds[kind];
  return {
    ...{ facility, host, program: "weave", process: String(pid), kind, atMs },
    severity: isTrouble ? "warning" : isAsked ? "notice" : "info",
    data: {
      id: dataId,
      parameters: [
        ["id", String(id)],
        ...Object.entries(details).map(([name, value]) => [name, valueText(value)] as const),
        ...Object.entries(by ?? {}).map(
          ([name, value]) => [byNames[name] ?? name, String(value)] as const,
        ),
      ],
    },
    text: eventText(event),
  };
}

/** What a detail may be called as well has another name. */
const byNames: Readonly<Record<string, string>> = { kind: "by", user: "byUser", pid: "byPid" };

function valueText(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : String(value ?? "");
}
