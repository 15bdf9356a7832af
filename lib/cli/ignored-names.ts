import type { NamesAnswer } from "../api/router-control.ts";
import type { Output } from "./context.ts";

/** Names that were asked for and not registered: no failure, but nobody finds them. */
export function tellIgnored(stderr: Output, ignored: NamesAnswer["ignored"], owner = ""): void {
  for (const { fqdn, reason } of ignored) {
    // A container without a domain has no name that could be told.
    stderr.write(`${fqdn || owner} was left alone: ${reason}\n`);
  }
}
