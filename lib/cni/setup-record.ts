import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";

/** What `weave setup-cni` has put on this host, so that `weave reset` can take it away. */
const recordModel = v.object({
  /** Path of the plugins' executable. */
  program: v.string(),
  /** What it then was, see `contentMark`. */
  mark: v.string(),
  /** Paths of the links to it. */
  links: v.array(v.string()),
  /** The network and what it then was; absent where there was no folder for it. */
  network: v.exactOptional(v.object({ path: v.string(), text: v.string() })),
});

export type SetupRecord = Readonly<v.InferOutput<typeof recordModel>>;

const recordFile = "cni-setup.json";

/** @throws Error of the file system */
export function saveRecord(stateDir: string, record: SetupRecord): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(stateDir, recordFile), `${JSON.stringify(record)}\n`);
}

/** `undefined` when there is none that can be read. */
export function readRecord(stateDir: string): SetupRecord | undefined {
  try {
    const text = readFileSync(join(stateDir, recordFile), "utf8");
    return v.parse(recordModel, JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function removeRecord(stateDir: string): void {
  rmSync(join(stateDir, recordFile), { force: true });
}
