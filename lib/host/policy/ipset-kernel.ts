import { isSystemError } from "../../../ffi/system-error.ts";
import type { IpFamily } from "../../base/ip.ts";
import type { Iptables } from "../firewall/iptables.ts";
import type { Netlink } from "../netlink/conversation.ts";
import {
  addToIpset,
  createIpset,
  destroyIpset,
  listIpsets,
  removeFromIpset,
} from "../netlink/ipset.ts";
import { openNetfilter } from "../netlink/open.ts";
import { nftablesGeneration } from "../own-table.ts";
import type { Found } from "./ipset-chains.ts";
import { entryJump } from "./ipset-entry.ts";
import { entryChain, isOurChain, isOurSet } from "./ipset-name.ts";
import { isSameBut, look, placeOf, type Standing } from "./ipset-standing.ts";
import type { Step } from "./ipset-step.ts";

const table = "mangle";

/** Chains in `iptables` and sets, as this namespace has them. */
export class IpsetKernel {
  readonly #programs: ReadonlyMap<IpFamily, Iptables>;
  /** Sets to be destroyed that rules referred to a moment ago: the kernel forgets these later. */
  readonly #leaving = new Set<string>();
  #inPlace: InPlace | undefined;

  /** By family. */
  constructor(programs: ReadonlyMap<IpFamily, Iptables>) {
    this.#programs = programs;
  }

  /** Names of sets that are to be gone, and may still be there. */
  get leaving(): ReadonlySet<string> {
    return this.#leaving;
  }

  /** Chains of ours, whoever put them there. @throws WeaveError */
  chains(): Map<IpFamily, Found> {
    return new Map(
      Array.from(this.#programs, ([family, program]) => [
        family,
        foundIn(program.hasTable(table) ? program.mustRules(table) : []),
      ]),
    );
  }

  /** Sets of ours. @throws SystemError */
  sets(): string[] {
    using netlink = openNetfilter();
    return ourSets(netlink);
  }

  /**
   * Takes steps one by one that put all in the place of whatever there was.
   *
   * @throws SystemError, WeaveError for the first that failed; those behind it are not taken
   */
  replace(steps: readonly Step[]): void {
    this.#inPlace = undefined;
    this.#takeAll(steps);
    this.#inPlace = this.#look();
  }

  /**
   * The same of steps that begin where those before have led. What somebody has changed since then, and
   * they do not put in place anyway, is found spoilt all the same.
   *
   * @throws SystemError, WeaveError
   */
  change(steps: readonly Step[]): void {
    this.#takeAll(steps);
    const declared = new Set(steps.flatMap(declaredPlaces));
    if (declared.size === 0 || this.#inPlace === undefined) return;
    const now = this.#look();
    this.#inPlace = isSameBut(this.#inPlace.standing, now.standing, declared) ? now : undefined;
  }

  /** Whether chains, the jump to them, or the number of elements of a set are not as they were left. */
  isSpoilt(sizes: ReadonlyMap<string, number>): boolean {
    using netlink = openNetfilter();
    this.#sweep(netlink);
    return this.#haveChainsChanged() || haveSetsChanged(netlink, sizes);
  }

  /** Whether rules of a family can have this match, or there can be any, where it is none. */
  knows(family: IpFamily, match: string): boolean {
    const probe = `${entryChain}-TEST`;
    const declared = `:${probe} - [0:0]`;
    const program = this.#programs.get(family);
    const isTaken = program?.tryRestore(table, [declared, `-A ${probe} ${match} -j RETURN`]);
    if (isTaken === true) program?.tryRestore(table, [declared, `-X ${probe}`]);
    return isTaken === true;
  }

  #takeAll(steps: readonly Step[]): void {
    using netlink = openNetfilter();
    for (const step of steps) this.#take(step, netlink);
    this.#sweep(netlink);
  }

  #take(step: Step, netlink: Netlink): void {
    switch (step.kind) {
      case "create":
        createIpset(netlink, step.set);
        break;
      case "add":
        addToIpset(netlink, step.set, step.elements);
        break;
      case "remove":
        removeFromIpset(netlink, step.set, step.elements);
        break;
      case "restore":
        this.#programs.get(step.family)?.restore(table, step.lines, "policies");
        break;
      case "destroy":
        this.#leaving.add(step.set);
    }
  }

  #sweep(netlink: Netlink): void {
    for (const name of this.#leaving) {
      if (tryDestroy(netlink, name)) this.#leaving.delete(name);
    }
  }

  #haveChainsChanged(): boolean {
    const inPlace = this.#inPlace;
    if (inPlace === undefined) return true;
    // Nothing counts the changes of the other half of the kernel.
    const tells = [...this.#programs.values()].every(({ speech }) => speech === "nf_tables");
    if (tells && nftablesGeneration() === inPlace.generation) return false;
    const now = this.#look();
    if (!isSameBut(inPlace.standing, now.standing, new Set())) return true;
    this.#inPlace = now;
    return false;
  }

  #look(): InPlace {
    // Taken before the look: a change in between is seen the next time.
    const generation = nftablesGeneration();
    return { generation, standing: look(this.#programs.values(), table) };
  }
}

/** How everything was when it was left. */
interface InPlace {
  readonly generation: number | undefined;
  readonly standing: Standing;
}

/** Chains that a step makes anew, or takes away. */
function declaredPlaces(step: Step): string[] {
  if (step.kind !== "restore") return [];
  const declared = step.lines.flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []);
  return declared.map((chain) => placeOf(step.family, chain));
}

/** Takes chains, and jumps to them, away from whoever has any. @throws WeaveError */
export function removeChains(program: Iptables): void {
  if (!program.hasTable(table)) return;
  const { chains, jumps } = foundIn(program.mustRules(table));
  if (chains.length === 0) return;
  const lines = [
    ...chains.map((name) => `:${name} - [0:0]`),
    ...Array<string>(jumps).fill(`-D ${entryJump.from} ${entryJump.rule}`),
    ...chains.map((name) => `-X ${name}`),
  ];
  program.restore(table, lines, "policies");
}

/** The kernel forgets rules that are gone after so long at most, and with them what they refer to. */
const forgettingMs = 3000;
const lookMs = 10;

/**
 * Destroys sets that no rule refers to any more.
 *
 * @returns how many there were @throws SystemError when a rule still refers to one
 */
export function destroySets(choose: (netlink: Netlink) => readonly string[]): number {
  using netlink = openNetfilter();
  const names = choose(netlink);
  for (const name of names) {
    for (let waitedMs = 0; !tryDestroy(netlink, name); waitedMs += lookMs) {
      if (waitedMs >= forgettingMs) destroyIpset(netlink, name);
      Bun.sleepSync(lookMs);
    }
  }
  return names.length;
}

/** Names of the sets of ours. @throws SystemError */
export function ourSets(netlink: Netlink): string[] {
  return listIpsets(netlink)
    .map(({ name }) => name)
    .filter(isOurSet);
}

/** False while rules refer to it. @throws SystemError */
function tryDestroy(netlink: Netlink, name: string): boolean {
  try {
    destroyIpset(netlink, name);
    return true;
  } catch (error) {
    if (isSystemError(error, "EBUSY")) return false;
    throw error;
  }
}

function haveSetsChanged(netlink: Netlink, sizes: ReadonlyMap<string, number>): boolean {
  const listed = new Map(listIpsets(netlink).map((set) => [set.name, set]));
  return [...sizes].some(([name, size]) => {
    const set = listed.get(name);
    return set === undefined || (set.size ?? size) !== size;
  });
}

function foundIn(listing: readonly string[]): Found {
  const declared = listing.filter((line) => line.startsWith("-N ")).map((line) => line.slice(3));
  const jump = `-A ${entryJump.from} ${entryJump.rule}`;
  return {
    chains: declared.filter(isOurChain),
    jumps: listing.filter((line) => line === jump).length,
  };
}
