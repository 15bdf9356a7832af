import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Keeps processes to a part of one processor's time, in periods of 20 ms, by a control group of their
 * own (version 2 where it is mounted at its place, else version 1). Disposal sets them free.
 */
const periodMicroseconds = 20_000;
const root = "/sys/fs/cgroup";
const isVersion2 = existsSync(join(root, "cgroup.subtree_control"));
const parent = isVersion2 ? root : join(root, "cpu");

export class ProcessorShare implements Disposable {
  readonly #folder: string;
  readonly #pids: readonly number[];

  /** `part`: of one processor. */
  constructor(name: string, part: number, pids: readonly number[]) {
    this.#folder = join(parent, name);
    this.#pids = pids;
    mkdirSync(this.#folder, { recursive: true });
    const quota = Math.round(periodMicroseconds * part);
    if (isVersion2) {
      writeFileSync(join(root, "cgroup.subtree_control"), "+cpu");
      this.#set("cpu.max", `${quota} ${periodMicroseconds}`);
      this.#set("cpu.weight", "10000");
    } else {
      this.#set("cpu.cfs_period_us", String(periodMicroseconds));
      this.#set("cpu.cfs_quota_us", String(quota));
      // Within the part, others have to wait.
      this.#set("cpu.shares", "200000");
    }
    for (const pid of pids) this.#set("cgroup.procs", String(pid));
  }

  #set(file: string, value: string): void {
    writeFileSync(join(this.#folder, file), value);
  }

  [Symbol.dispose](): void {
    for (const pid of this.#pids) {
      if (existsSync(`/proc/${pid}`)) writeFileSync(join(parent, "cgroup.procs"), String(pid));
    }
    rmdirSync(this.#folder);
  }
}
