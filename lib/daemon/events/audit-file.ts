import { renameSync, statSync } from "node:fs";
import { eventDocument } from "../../api/event-routes.ts";
import type { NetworkEvent } from "../../base/network-event.ts";
import type { Log } from "../../base/world.ts";
import { LineFile } from "../line-file.ts";
import { formerFile } from "../rotating-file.ts";
import { Attempts } from "./attempts.ts";
import type { EventOutlet, OutletStatus } from "./event-outlet.ts";

/** Of each of the two files. */
const fileBytesMax = 64 << 20;

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
  readonly #attempts: Attempts;
  readonly #bytesMax: number;
  #file: LineFile | undefined;
  #sent = 0;
  #lost = 0;

  constructor(path: string, log: Log, bytesMax = fileBytesMax) {
    this.to = path;
    this.#bytesMax = bytesMax;
    this.#attempts = new Attempts(log, {
      fails: `events are not written to ${path}`,
      worksAgain: () => `events are written to ${path} again; ${this.#lost} were lost`,
    });
    this.#attempts.make(() => this.#current());
  }

  take(event: NetworkEvent): void {
    const line = `${JSON.stringify(eventDocument(event))}\n`;
    if (this.#attempts.make(() => this.#current().write(line))) this.#sent++;
    else this.#lost++;
  }

  status(): OutletStatus {
    const { trouble } = this.#attempts;
    return {
      ...{ sent: this.#sent, lost: this.#lost, waiting: 0 },
      ...(trouble !== undefined && { trouble }),
    };
  }

  stop(): void {
    this.#close();
  }

  /** The file that is at the path now. */
  #current(): LineFile {
    const found = statSync(this.to, { throwIfNoEntry: false });
    const isStill = found?.ino === this.#file?.inode && found?.dev === this.#file?.device;
    if (found?.isFile() === true && found.size >= this.#bytesMax) {
      renameSync(this.to, formerFile(this.to));
    } else if (this.#file !== undefined && isStill) {
      return this.#file;
    }
    this.#close();
    this.#file = new LineFile(this.to);
    return this.#file;
  }

  #close(): void {
    this.#file?.[Symbol.dispose]();
    this.#file = undefined;
  }
}
