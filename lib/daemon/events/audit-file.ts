import { closeSync, fstatSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { eventDocument } from "../../api/event-routes.ts";
import { utf8 } from "../../base/bytes.ts";
import { errorText } from "../../base/errors.ts";
import type { NetworkEvent } from "../../base/network-event.ts";
import type { Log } from "../../base/world.ts";
import { formerFile } from "../rotating-file.ts";
import type { EventOutlet, OutletStatus } from "./event-outlet.ts";

/** Of each of the two files. */
const fileBytesMax = 64 << 20;

const lineFeed = utf8("\n");

interface OpenFile {
  readonly descriptor: number;
  readonly inode: number;
  readonly device: number;
}

/**
 * Events in a file of the operator's, a document of `weave events --json` each. Other programs may
 * rotate it in any way without a word to us: what is at the path is looked at before every line.
 *
 *   renamed or deleted   a new file is begun, for root alone
 *   cut off              it is appended to, at the end that there is now
 *   beyond its bound     renamed to `.1` by us, so that nobody has to
 */
export class AuditFile implements EventOutlet {
  readonly name = "file";
  readonly to: string;
  readonly #log: Log;
  readonly #bytesMax: number;
  #file: OpenFile | undefined;
  /** A line was written in part. */
  #isCut = false;
  #sent = 0;
  #lost = 0;
  #trouble: string | undefined;

  constructor(path: string, log: Log, bytesMax = fileBytesMax) {
    this.to = path;
    this.#log = log;
    this.#bytesMax = bytesMax;
    this.#tried(() => this.#current());
  }

  take(event: NetworkEvent): void {
    const line = utf8(`${JSON.stringify(eventDocument(event))}\n`);
    if (this.#tried(() => this.#append(line))) this.#sent++;
    else this.#lost++;
  }

  status(): OutletStatus {
    const trouble = this.#trouble;
    return {
      ...{ sent: this.#sent, lost: this.#lost, waiting: 0 },
      ...(trouble !== undefined && { trouble }),
    };
  }

  stop(): void {
    this.#close();
  }

  #append(line: Uint8Array): void {
    const { descriptor } = this.#current();
    if (this.#isCut) this.#write(descriptor, lineFeed);
    this.#write(descriptor, line);
  }

  #write(descriptor: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(descriptor, bytes, at);
      this.#isCut = at < bytes.length;
    }
  }

  /** The file that is at the path now. */
  #current(): OpenFile {
    const found = statSync(this.to, { throwIfNoEntry: false });
    const isStill = found?.ino === this.#file?.inode && found?.dev === this.#file?.device;
    if (found !== undefined && !found.isFile()) throw new Error("what is there is no file");
    if (found !== undefined && found.size >= this.#bytesMax) {
      renameSync(this.to, formerFile(this.to));
    } else if (this.#file !== undefined && isStill) {
      return this.#file;
    }
    this.#close();
    const descriptor = openSync(this.to, "a", 0o600);
    const { ino: inode, dev: device } = fstatSync(descriptor);
    this.#file = { descriptor, inode, device };
    return this.#file;
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file.descriptor);
    this.#file = undefined;
    this.#isCut = false;
  }

  /** What fails is said once, and tried again with the next event. */
  #tried(action: () => unknown): boolean {
    try {
      action();
    } catch (error) {
      const trouble = errorText(error);
      if (this.#trouble === undefined)
        this.#log.warn(`events are not written to ${this.to}: ${trouble}`);
      this.#trouble = trouble;
      return false;
    }
    if (this.#trouble !== undefined) {
      this.#log.info(`events are written to ${this.to} again; ${this.#lost} were lost`);
    }
    this.#trouble = undefined;
    return true;
  }
}
