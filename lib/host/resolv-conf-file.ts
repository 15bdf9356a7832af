import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { fromUtf8 } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { errorText } from "../base/errors.ts";
import { type Log, silentLog, type World } from "../base/world.ts";
import { parseResolvConf } from "../dns/resolv-conf.ts";
import { Upstreams } from "../dns/upstreams.ts";

/** The file is looked at when it is needed, but not more often than this. */
export const lookEveryMs = 5000;

const fileOctetsMax = 64 * 1024;

export interface ResolvConfOptions {
  /** Address of this name server, which is no upstream server of itself. */
  readonly exclude: string;
  /** Servers to use instead of the file's. */
  readonly servers?: readonly Endpoint[];
  readonly log?: Log;
  readonly clock?: Pick<World, "monotonicMs">;
}

/** The host's resolver file: followed when it is rewritten or replaced; the last good list stays. */
export class ResolvConfFile {
  readonly #path: string;
  readonly #log: Log;
  readonly #clock: Pick<World, "monotonicMs">;
  readonly #upstreams: Upstreams;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** What tells one state of the file from another; `undefined` while it cannot be read. */
  #version: string | undefined;
  #complained = false;

  /** An empty `path` means: no file, and no servers but explicit ones. */
  constructor(path: string, options: ResolvConfOptions) {
    this.#path = path;
    this.#log = options.log ?? silentLog;
    this.#clock = options.clock ?? { monotonicMs: () => performance.now() };
    this.#upstreams = new Upstreams(
      { monotonicMs: () => this.#clock.monotonicMs(), log: this.#log },
      {
        ownAddresses: [options.exclude],
        ...(options.servers === undefined ? {} : { servers: options.servers }),
      },
    );
  }

  /** The upstream servers, as the file has them now. */
  current(): Upstreams {
    const nowMs = this.#clock.monotonicMs();
    if (this.#path !== "" && nowMs - this.#lookedMs >= lookEveryMs) {
      this.#lookedMs = nowMs;
      this.#look();
    }
    return this.#upstreams;
  }

  /** As `status` lists them. */
  servers(): readonly string[] {
    return this.current().list;
  }

  #look(): void {
    try {
      const text = this.#readIfChanged();
      if (text !== undefined) this.#upstreams.use(parseResolvConf(text));
      this.#complained = false;
    } catch (error) {
      if (this.#complained) return;
      this.#complained = true;
      this.#log.warn(`dns: ${this.#path}: ${errorText(error)}; upstream servers stay as they are`);
    }
  }

  /** One open file for both questions, so that a file replaced in between is not misjudged. */
  #readIfChanged(): string | undefined {
    const file = openSync(this.#path, "r");
    try {
      const { mtimeMs, ino, dev, size } = fstatSync(file);
      const version = `${dev} ${ino} ${mtimeMs} ${size}`;
      if (version === this.#version) return undefined;
      const octets = new Uint8Array(fileOctetsMax);
      const length = readSync(file, octets, 0, fileOctetsMax, 0);
      this.#version = version;
      return fromUtf8(octets.subarray(0, length));
    } finally {
      closeSync(file);
    }
  }
}
