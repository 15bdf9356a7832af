import { hostname } from "node:os";
import type { EventsReport } from "../../api/events-report.ts";
import { type Measurement, measured } from "../../api/metrics/measurement.ts";
import type { NetworkEvent } from "../../base/network-event.ts";
import type { World } from "../../base/world.ts";
import type { LaunchOptions } from "../launch-options.ts";
import { AuditFile } from "./audit-file.ts";
import type { EventOutlet } from "./event-outlet.ts";
import { openSyslogDoor } from "./syslog/syslog-door.ts";
import { SyslogOutlet } from "./syslog/syslog-outlet.ts";
import { parseSyslogTarget } from "./syslog/syslog-target.ts";

/** Where events go besides the router's own memory, as its options say. */
export class EventOutlets {
  readonly #outlets: readonly EventOutlet[];

  constructor(world: Pick<World, "after" | "log">, options: LaunchOptions["events"]) {
    const { file, syslog } = options ?? {};
    this.#outlets = [
      ...(file === undefined ? [] : [new AuditFile(file, world.log)]),
      ...(syslog === undefined ? [] : [openSyslog(world, syslog)]),
    ];
  }

  readonly take = (event: NetworkEvent): void => {
    for (const outlet of this.#outlets) outlet.take(event);
  };

  /** `undefined` where there are none. */
  report(): EventsReport | undefined {
    if (this.#outlets.length === 0) return undefined;
    return {
      Outlets: this.#outlets.map((outlet) => {
        const { sent, lost, waiting, trouble } = outlet.status();
        return {
          ...{ Name: outlet.name, To: outlet.to, Sent: sent, Lost: lost, Waiting: waiting },
          ...(trouble !== undefined && { Trouble: trouble }),
        };
      }),
    };
  }

  measurements(): Measurement[] {
    return this.#outlets.flatMap((outlet) => {
      const labels = { outlet: outlet.name };
      const { sent, lost } = outlet.status();
      return [
        measured("weave_events_sent_total", sent, labels),
        measured("weave_events_lost_total", lost, labels),
      ];
    });
  }

  stop(): void {
    for (const outlet of this.#outlets) outlet.stop();
  }
}

function openSyslog(
  world: Pick<World, "after" | "log">,
  { to, facility }: NonNullable<NonNullable<LaunchOptions["events"]>["syslog"]>,
): EventOutlet {
  const target = parseSyslogTarget(to);
  const origin = { facility, host: hostname(), pid: process.pid };
  return new SyslogOutlet(world, to, origin, () => openSyslogDoor(target));
}
