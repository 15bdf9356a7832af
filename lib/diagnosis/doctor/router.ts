import type { Facts } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";

/** Whether there is a router to ask. */
export function checkRouter({ setup }: Facts): Finding[] {
  if (setup.isSilent) {
    return [
      finding("ROUTER_SILENT", "router", "the router's process is there but does not answer", {
        commands: ["weave logs", "weave stop", "weave launch --resume"],
      }),
    ];
  }
  if (setup.isRunning) return [];
  return setup.hasState
    ? [
        finding("ROUTER_STOPPED", "router", "no router runs, and this host belongs to a cluster", {
          commands: ["weave launch --resume"],
        }),
      ]
    : [
        finding("ROUTER_ABSENT", "router", "no router runs on this host", {
          commands: ["weave launch"],
        }),
      ];
}
