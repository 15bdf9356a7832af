import { formatIpv4Cidr } from "../../base/ip.ts";
import { formatPeerName } from "../../base/peer-name.ts";
import type { AdoptionOutcome } from "../../daemon/adoption/adopt.ts";
import type { OldRouter } from "../../daemon/adoption/facts.ts";
import type { AdoptionPlan } from "../../daemon/adoption/plan.ts";
import { shellLine } from "../../diagnosis/shell-words.ts";
import { compatibleMtu } from "../../overlay/fastdp/link-mtu.ts";
import { extentText } from "../extent-text.ts";

/** What was found on a host and what is going to be done about it, for people. */
export function planText(plan: AdoptionPlan): string {
  return [
    `Found: ${routerText(plan.facts.router)}`,
    ...foundLines(plan).map(([what, text]) => `  ${what.padEnd(labelWidth)}${text}`),
    "",
    "To be done:",
    ...stepLines(plan).map((line, index) => `  ${index + 1}. ${line}`),
    "Containers keep their interfaces and addresses, and reach each other on this host meanwhile.",
    "To other hosts frames pause until the new router has its links: some seconds.",
    ...datapathLines(plan),
    ...(plan.notTaken.length === 0 ? [] : ["", "Not taken over:"]),
    ...plan.notTaken.map((clause) => `  ${clause}`),
    "",
  ].join("\n");
}

/** What the old router did in user space, maybe for lack of a module, the kernel may do for ours. */
function datapathLines({ facts, options: { fastdp, mtu } }: AdoptionPlan): string[] {
  if (facts.wiring !== "bridge" || !fastdp || mtu === "auto") return [];
  return [
    `Where the kernel can carry them, it does; containers then have an MTU of ${mtu || compatibleMtu}.`,
  ];
}

const labelWidth = 12;

function routerText({ pid, container }: OldRouter): string {
  const where = container === undefined ? "" : `, container ${container.name}`;
  return pid === undefined
    ? `a router of Weave Net 2.x that does not run${where}`
    : `a router of Weave Net 2.x, process ${pid}${where}`;
}

function foundLines({ facts, state, settings }: AdoptionPlan): (readonly [string, string])[] {
  const { peerName, targets, allocations, exposed, names } = state;
  const containers = facts.containers.map(
    ({ ident, port, addresses }) =>
      `${ident.slice(0, identMax) || port} ${addresses.map(formatIpv4Cidr).join(" ")}`,
  );
  return [
    ["name", peerName === undefined ? "by this machine's ids" : formatPeerName(peerName)],
    ["nickname", settings.options.nickname],
    ["peers", listText(targets)],
    ["options", shellLine(...settings.words)],
    ["password", facts.router.password === undefined ? "none" : "as the old router has it"],
    ["data", facts.database === undefined ? "none" : settings.database],
    ["addresses", `${allocations?.held.length ?? 0} in use by its data`],
    ["containers", listText(containers)],
    ["exposed", listText(exposed.map(({ cidr }) => cidr))],
    ["names", listText(names.map(({ fqdn, address }) => `${fqdn} ${address}`))],
  ];
}

/** As in `weave ps`. */
const identMax = 12;

function listText(items: readonly string[]): string {
  return items.length === 0 ? "none" : items.join(`\n  ${" ".repeat(labelWidth)}`);
}

function stepLines({ facts }: AdoptionPlan): string[] {
  const { router, companions } = facts;
  const programs = [router.container, ...companions].filter((each) => each !== undefined);
  const stop = programs.map(
    ({ name, restartPolicy }) =>
      `stop the container ${name}, and set its restart policy from ${restartPolicy.name || "no"} to no`,
  );
  if (router.container === undefined) {
    stop.push(
      `stop process ${router.pid}; if a service manager starts it again, disable that first`,
    );
  }
  return [
    ...stop,
    "write what it knows as the state of the new router",
    "note at the ports of the bridge which containers they belong to",
    "launch the new router with name, options and password of the old one",
  ];
}

/** How it went, and what comes next. */
export function outcomeText(
  plan: AdoptionPlan,
  { id, extent, unclaimed }: AdoptionOutcome,
): string {
  const { settings, facts } = plan;
  const { password, container } = facts.router;
  const words = [...settings.words, ...(password === undefined ? [] : ["--password-file=FILE"])];
  return [
    `Taken over by run ${id}: ${extentText(extent)}.`,
    ...unclaimed.map((address) => `Not taken over: ${address}, which its owner has not confirmed.`),
    `After a reboot: ${shellLine("weave", "launch", "--resume", ...words)}`,
    "As a service of systemd: the same words after 'weave setup-systemd'.",
    ...(container === undefined
      ? []
      : [`The container ${container.name} is left as it is, stopped: nothing here needs it.`]),
    "",
  ].join("\n");
}
