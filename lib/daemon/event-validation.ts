import { WeaveError } from "../base/errors.ts";
import { syslogFacilityNames } from "../wire/syslog-message.ts";
import { formatSyslogTarget, parseSyslogTarget } from "./events/syslog/syslog-target.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { choice, conflict, type LaunchWords, parsed } from "./launch-words.ts";

/** Where else events go, as words say it. @throws WeaveError `LAUNCH_FLAG`, `LAUNCH_CONFLICT` */
export function eventOptions(words: LaunchWords): LaunchOptions["events"] {
  const file = words.text("events-file") || undefined;
  if (file !== undefined && !/^\/.*[^/]$/.test(file)) {
    throw new WeaveError("LAUNCH_FLAG", `invalid value "${file}" for flag --events-file`, {
      remedy: "write the absolute path of a file",
    });
  }
  const to = words.text("events-syslog") || undefined;
  const facility = choice(words, "events-syslog-facility", ["daemon", ...syslogFacilityNames]);
  if (to === undefined && words.text("events-syslog-facility")) {
    throw conflict("--events-syslog-facility specified without --events-syslog.");
  }
  if (file === undefined && to === undefined) return undefined;
  return {
    ...(file !== undefined && { file }),
    ...(to !== undefined && {
      syslog: {
        to: parsed("events-syslog", to, (text) => formatSyslogTarget(parseSyslogTarget(text))),
        facility,
      },
    }),
  };
}
