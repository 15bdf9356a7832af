import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";
import { errorText } from "../base/errors.ts";
import type { Log } from "../base/world.ts";
import type { ClusterPeers } from "./node-peers.ts";

const fileVersion = 1;

const schema = v.object({
  version: v.literal(fileVersion),
  addresses: v.array(v.string()),
  count: v.pipe(v.number(), v.integer(), v.minValue(1)),
});

/** The peers of a cluster as they were last known, for a start while no API server answers. */
export class PeerCache {
  readonly #path: string;
  #kept: string | undefined;

  /** @param path a file in the folder of the router's state */
  constructor(path: string) {
    this.#path = path;
  }

  /** `undefined` where there are none, or none that can be read. */
  read(): ClusterPeers | undefined {
    let raw: unknown;
    try {
      raw = JSON.parse(readFileSync(this.#path, "utf8"));
    } catch {
      return undefined;
    }
    const parsed = v.safeParse(schema, raw);
    return parsed.success
      ? { addresses: parsed.output.addresses, count: parsed.output.count }
      : undefined;
  }

  /** @throws Error of the file system */
  remove(): void {
    rmSync(this.#path, { force: true });
    this.#kept = undefined;
  }

  /** What cannot be kept for the next start is good for this one. */
  remember(peers: ClusterPeers, log: Log): void {
    try {
      this.write(peers);
    } catch (error) {
      log.warn(`cannot remember the nodes of the cluster: ${errorText(error)}`);
    }
  }

  /** Whole or not at all, also when the power fails. @throws Error of the file system */
  write({ addresses, count }: ClusterPeers): void {
    const text = `${JSON.stringify({ version: fileVersion, addresses, count })}\n`;
    if (text === this.#kept) return;
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const draft = `${this.#path}.new`;
    const file = openSync(draft, "w", 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, this.#path);
    this.#kept = text;
  }
}
