import { readFileSync } from "node:fs";
import { isSystemError } from "../../../ffi/system-error.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { IpFamily } from "../../base/ip.ts";
import { listTables } from "../netlink/nftables.ts";
import { openNetfilter } from "../netlink/open.ts";
import { hasNftables } from "../own-table.ts";

/** iptables waits so long for others that hold its lock, in seconds. */
const lockWait = "5";

export type TableName = "filter" | "mangle" | "nat";

/** The half of the kernel to which such a program speaks. */
export type Speech = "legacy" | "nf_tables";

/** `undefined` when there is no such program. */
export function speechOf(program: string): Speech | undefined {
  if (Bun.which(program) === null) return undefined;
  const { exitCode, stdout } = Bun.spawnSync([program, "--version"], { stderr: "ignore" });
  return exitCode === 0 ? speechByVersion(stdout.toString()) : undefined;
}

/** @param version what `--version` prints */
export function speechByVersion(version: string): Speech {
  return version.includes("nf_tables") ? "nf_tables" : "legacy";
}

/**
 * The program for all rules of a host: that of the plain name, unless it speaks to a half that this
 * kernel does not have.
 */
export function usualProgram(family: IpFamily): string {
  const [name, legacy] = programsOf(family);
  return hasNftables() || Bun.which(legacy) === null ? name : legacy;
}

/** Between them they speak to both halves. */
export function programsOf(family: IpFamily): readonly [usual: string, legacy: string] {
  const name = family === 4 ? "iptables" : "ip6tables";
  return [name, `${name}-legacy`];
}

/** Names of the tables that iptables-legacy, or ip6tables-legacy, uses in this namespace. */
export function legacyTables(family: IpFamily = 4): string[] {
  try {
    const names = readFileSync(`/proc/net/${family === 4 ? "ip" : "ip6"}_tables_names`, "utf8");
    return names.split("\n").filter((name) => name !== "");
  } catch {
    return [];
  }
}

/** Whether anybody has used that table, by whichever half of the kernel. It costs next to nothing. */
export function isTableInUse(table: TableName, family: IpFamily): boolean {
  return legacyTables(family).includes(table) || nftablesHas(table, family);
}

/** iptables keeps its tables there under their own names. */
function nftablesHas(table: TableName, family: IpFamily): boolean {
  try {
    using netfilter = openNetfilter();
    return listTables(netfilter, family === 4 ? "ip" : "ip6").includes(table);
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** A chain of ours, and the one of everybody's that leads there. */
export interface IptablesPlace {
  readonly table: TableName;
  readonly from: string;
  readonly chain: string;
}

/** One of the programs named iptables, which may speak to either half of the kernel. */
export class Iptables {
  /** `iptables`, `iptables-legacy`, `ip6tables`, … */
  readonly program: string;
  /** Of the packets whose rules it knows. */
  readonly family: IpFamily;
  #speech: Speech | undefined;

  constructor(program: string) {
    this.program = program;
    this.family = program.startsWith("ip6") ? 6 : 4;
  }

  /** Asked once there is such a program. */
  get speech(): Speech | undefined {
    this.#speech ??= speechOf(this.program);
    return this.#speech;
  }

  /** Whether anybody has used that table; asking for its rules would make one that nobody has. */
  hasTable(table: TableName): boolean {
    if (this.speech === undefined) return false;
    return this.speech === "legacy"
      ? legacyTables(this.family).includes(table)
      : nftablesHas(table, this.family);
  }

  /** What `-S` prints, line by line; `undefined` when there is no such program, or it refuses. */
  rules(table: TableName): string[] | undefined {
    return this.#run("-t", table, "-S")?.split("\n");
  }

  /** The same. @throws WeaveError `IPTABLES_FAILED` where {@link rules} gives nothing */
  mustRules(table: TableName): string[] {
    const rules = this.rules(table);
    if (rules === undefined) throw this.#failed(`-t ${table} -S`, undefined);
    return rules;
  }

  /** False when it refuses, as it does what is there, or not there, already. */
  try(table: TableName, ...words: readonly string[]): boolean {
    return this.#run("-t", table, ...words) !== undefined;
  }

  /** @throws WeaveError `IPTABLES_FAILED` */
  must(table: TableName, ...words: readonly string[]): void {
    if (!this.try(table, ...words)) throw this.#failed(words.join(" "), undefined);
  }

  /**
   * Puts a chain of ours in place with these rules, whatever it held before, and the jump to it in
   * front of all others of the chain `from`, which has `jumps` of them: in one transaction, so that no
   * packet finds the chain without it.
   *
   * @throws WeaveError
   */
  putChain({ table, from, chain }: IptablesPlace, rules: readonly string[], jumps: number): void {
    const lines = [
      `:${chain} - [0:0]`,
      ...rules.map((rule) => `-A ${chain} ${rule}`),
      ...Array<string>(jumps).fill(`-D ${from} -j ${chain}`),
      `-I ${from} 1 -j ${chain}`,
    ];
    this.restore(table, lines, chain);
  }

  /**
   * Takes lines of `iptables-restore` for one table: all take effect at once, or none. Chains that no
   * line declares stay as they are.
   *
   * @param what they put in place, for the error @throws WeaveError `IPTABLES_FAILED`
   */
  restore(table: TableName, lines: readonly string[], what: string): void {
    const refusal = this.#restore(table, lines);
    if (refusal !== undefined) throw this.#failed(`-restore of ${what}`, refusal);
  }

  /** False when it refuses; then nothing has changed. */
  tryRestore(table: TableName, lines: readonly string[]): boolean {
    return this.#restore(table, lines) === undefined;
  }

  /** What it said when it refused. */
  #restore(table: TableName, lines: readonly string[]): string | undefined {
    const text = [`*${table}`, ...lines, "COMMIT", ""].join("\n");
    const command = [`${this.program}-restore`, "-w", lockWait, "--noflush"];
    if (Bun.which(command[0]!) === null) return "there is no such program";
    const { exitCode, stderr } = Bun.spawnSync(command, {
      stdin: new TextEncoder().encode(text),
      stderr: "pipe",
    });
    return exitCode === 0 ? undefined : stderr.toString().trim();
  }

  #run(...words: readonly string[]): string | undefined {
    if (Bun.which(this.program) === null) return undefined;
    const { exitCode, stdout } = Bun.spawnSync([this.program, "-w", lockWait, ...words], {
      stderr: "ignore",
    });
    return exitCode === 0 ? stdout.toString() : undefined;
  }

  #failed(what: string, cause: unknown): WeaveError {
    const why = cause === undefined ? "" : `: ${errorText(cause)}`;
    return new WeaveError("IPTABLES_FAILED", `${this.program} ${what} failed${why}`, {
      remedy: `see what '${this.program} -S' says; until it works packets of containers may be lost`,
      cause,
    });
  }
}
