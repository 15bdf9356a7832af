import { isSystemError } from "../../ffi/system-error.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { type Cidr, formatCidr, networkOf } from "../base/ip.ts";
import { rulesGeneration } from "./netlink/nftables.ts";
import { openNetfilter } from "./netlink/open.ts";
import { legacyTables } from "./packet-filters.ts";

/** The chain of ours in the `filter` table of iptables. */
const chain = "WEAVE-FORWARD";

/** iptables waits so long for others that hold its lock. */
const lockWaitS = "5";

/**
 * Lets frames of the overlay pass where another program filters what the host forwards: Docker sets
 * the policy of iptables' FORWARD chain to DROP, and with `bridge-nf-call-iptables` that holds for
 * bridged frames as well. An accept in a table of our own cannot overrule it, so one goes where the
 * others' rules are, through the same `iptables` that they use:
 *
 *   FORWARD ─ first rule ─▶ WEAVE-FORWARD   within the bridge, out of it, answers into it,
 *                                           and into exposed subnets
 *
 * A host without `iptables`, or whose FORWARD chain nobody has touched, is left alone.
 */
export class ForwardChain {
  readonly #bridge: string;
  /** What was found in order. */
  #inOrder: string | undefined;

  constructor(bridge: string) {
    this.#bridge = bridge;
  }

  /**
   * Makes chain and jump what they should be. Returns whether anything had to be changed.
   *
   * @throws WeaveError `IPTABLES_FAILED`
   */
  apply(exposed: readonly Cidr[]): boolean {
    const rules = this.#rules(exposed);
    // Taken before the look: a change in between is seen the next time.
    const state = filterState();
    const found = state === undefined ? undefined : [state, ...rules].join("\n");
    if (found !== undefined && found === this.#inOrder) return false;
    const changed = this.#put(rules);
    this.#inOrder = found;
    return changed;
  }

  #put(rules: readonly string[]): boolean {
    const listing = iptables("-S");
    if (listing === undefined) return false;
    const lines = listing.split("\n");
    if (!isFiltered(lines)) return false;
    const present = lines.filter((line) => line.startsWith(`-A ${chain} `));
    const wanted = rules.map((rule) => `-A ${chain} ${rule}`);
    const firstRule = lines.find((line) => line.startsWith("-A FORWARD "));
    const jumps = firstRule === `-A FORWARD -j ${chain}`;
    if (jumps && present.join("\n") === wanted.join("\n")) return false;
    restore([`:${chain} - [0:0]`, ...wanted]);
    while (iptables("-D", "FORWARD", "-j", chain) !== undefined);
    must("-I", "FORWARD", "1", "-j", chain);
    return true;
  }

  #rules(exposed: readonly Cidr[]): string[] {
    const bridge = this.#bridge;
    return [
      `-i ${bridge} -o ${bridge} -j ACCEPT`,
      `-i ${bridge} ! -o ${bridge} -j ACCEPT`,
      `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      ...exposed
        .filter(({ address }) => address.family === 4)
        .map((cidr) => `-d ${formatCidr(networkOf(cidr))} -o ${bridge} -j ACCEPT`),
    ];
  }
}

/**
 * A text that is another one when any rule of this host has changed since: so nobody has to start a
 * program to find that nothing did. `undefined` where that cannot be told, as with iptables-legacy.
 */
function filterState(): string | undefined {
  if (legacyTables() !== "") return undefined;
  try {
    using netlink = openNetfilter();
    return `generation ${rulesGeneration(netlink)}`;
  } catch (error) {
    if (isSystemError(error) || error instanceof WeaveError) return undefined;
    throw error;
  }
}

/** Removes chain and jump, if they are there. */
export function removeForwardChain(): void {
  while (iptables("-D", "FORWARD", "-j", chain) !== undefined);
  if (iptables("-F", chain) !== undefined) iptables("-X", chain);
}

/** Whether somebody else decides in FORWARD, or we have been there before. */
function isFiltered(lines: readonly string[]): boolean {
  return lines.some(
    (line) =>
      line === "-P FORWARD DROP" || line.startsWith("-A FORWARD ") || line === `-N ${chain}`,
  );
}

/** Output of `iptables`; `undefined` when there is none, or it refuses. */
function iptables(...words: readonly string[]): string | undefined {
  if (Bun.which("iptables") === null) return undefined;
  const { exitCode, stdout } = Bun.spawnSync(["iptables", "-w", lockWaitS, ...words], {
    stderr: "ignore",
  });
  return exitCode === 0 ? stdout.toString() : undefined;
}

function must(...words: readonly string[]): void {
  if (iptables(...words) === undefined) throw failed(`iptables ${words.join(" ")}`, undefined);
}

/** All rules of a chain in one transaction, whatever it held before. */
function restore(lines: readonly string[]): void {
  const text = ["*filter", ...lines, "COMMIT", ""].join("\n");
  try {
    const { exitCode, stderr } = Bun.spawnSync(["iptables-restore", "-w", lockWaitS, "--noflush"], {
      stdin: new TextEncoder().encode(text),
      stderr: "pipe",
    });
    if (exitCode !== 0) throw new Error(stderr.toString().trim());
  } catch (cause) {
    throw failed("iptables-restore", cause);
  }
}

function failed(command: string, cause: unknown): WeaveError {
  const why = cause === undefined ? "" : `: ${errorText(cause)}`;
  return new WeaveError("IPTABLES_FAILED", `${command} failed${why}`, {
    remedy: "containers of this host may not reach each other until iptables works",
    cause,
  });
}
