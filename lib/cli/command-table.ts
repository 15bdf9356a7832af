import type { AnsweredCommand, CommandGroup, CommandSpec } from "./command-spec.ts";
import { answeredCommands } from "./table/answered-commands.ts";
import { containerCommands } from "./table/container-commands.ts";
import { demoCommands } from "./table/demo-commands.ts";
import { dockerCommands } from "./table/docker-commands.ts";
import { formerCommands } from "./table/former-commands.ts";
import { kubernetesCommands } from "./table/kubernetes-commands.ts";
import { lookCommands } from "./table/look-commands.ts";
import { moreCommands } from "./table/more-commands.ts";
import { nameCommands } from "./table/name-commands.ts";
import { peerCommands } from "./table/peer-commands.ts";
import { policyCommands } from "./table/policy-commands.ts";
import { routerCommands } from "./table/router-commands.ts";
import { runtimeCommands } from "./table/runtime-commands.ts";
import { simulateCommand } from "./table/simulate-command.ts";

/** Every command there is, in the order in which help lists them. */
export const commandTable: readonly CommandSpec[] = [
  ...routerCommands,
  ...runtimeCommands,
  ...kubernetesCommands,
  ...containerCommands,
  ...policyCommands,
  ...dockerCommands,
  ...nameCommands,
  ...peerCommands,
  ...lookCommands,
  ...demoCommands,
  simulateCommand,
  ...moreCommands,
  ...formerCommands,
];

/** The commands that people are meant to type. */
export const shownCommands: readonly CommandSpec[] = commandTable.filter(
  (command) => command.hidden !== true,
);

/** Headings of the overview, in order. */
export const groupTitles: ReadonlyMap<CommandGroup, string> = new Map([
  ["Router", "The router on this host"],
  ["Containers", "Containers and this host on the network"],
  ["Names", "Names"],
  ["Peers", "Other hosts"],
  ["Look", "Looking"],
  ["More", "More"],
]);

export function findCommand(name: string): CommandSpec | undefined {
  return commandTable.find((command) => command.name === name);
}

export function findAnswered(name: string): AnsweredCommand | undefined {
  return answeredCommands.find((command) => command.names.includes(name));
}

/** The environment that every command reads. Variables of single flags stand with the flags. */
export const sharedEnvironment: ReadonlyArray<{ name: string; summary: string }> = [
  {
    name: "WEAVE_RUN_DIR",
    summary: "folder of the router's socket, pid file and log (default /run/weave)",
  },
  {
    name: "WEAVE_STATE_DIR",
    summary: "folder of what the router remembers (default /var/lib/weave)",
  },
  {
    name: "WEAVE_HTTP_ADDR",
    summary: "control API to talk to instead of the socket in WEAVE_RUN_DIR",
  },
  { name: "NO_COLOR", summary: "no colours, also on a terminal that shows them" },
];
