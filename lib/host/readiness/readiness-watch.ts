import { MessageChannel, Worker } from "node:worker_threads";
import { EventCounter } from "../../../ffi/descriptor.ts";
import { errorText } from "../../base/errors.ts";
import { readinessWorkerUrl } from "./worker-url.ts";

export interface ReadinessSetup {
  readonly wakeDescriptor: number;
}

export type ReadinessCommand =
  | { readonly kind: "await"; readonly descriptor: number }
  | { readonly kind: "quit" };

/**
 * Tells the main thread that a descriptor of a kind that the runtime cannot wait for, such as a
 * netlink socket, has something to read. A thread of its own sleeps in the kernel for it:
 *
 *   main ──await──▶ thread ··· sleeps ··· ──readable──▶ main: reads until nothing is left ──await──▶
 */
export class ReadinessWatch {
  readonly #worker: Worker;
  readonly #commands;
  readonly #wake = new EventCounter();
  readonly #descriptor: number;
  readonly #gone = Promise.withResolvers<void>();
  #stopping = false;

  /**
   * @param descriptor stays the caller's, and open until {@link stop} has resolved
   * @param readable reads it. True: until nothing was left; else it is called again, after others had
   *   their turn
   * @param failed there will be no more calls
   */
  constructor(descriptor: number, readable: () => boolean, failed: (why: string) => void) {
    this.#descriptor = descriptor;
    const { port1, port2 } = new MessageChannel();
    const setup: ReadinessSetup = { wakeDescriptor: this.#wake.descriptor };
    this.#commands = port1;
    this.#worker = new Worker(readinessWorkerUrl(), {
      workerData: { ...setup, commands: port2 },
      transferList: [port2],
    });
    const drain = (): void => {
      if (this.#stopping) return;
      if (readable()) this.#command({ kind: "await", descriptor });
      else setImmediate(drain);
    };
    this.#worker.on("message", drain);
    this.#worker.on("error", (error) => failed(errorText(error)));
    this.#worker.on("exit", () => this.#exited(failed));
    this.#command({ kind: "await", descriptor: this.#descriptor });
  }

  /** Ends the thread; resolves when it does not use the descriptor any more. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#command({ kind: "quit" });
    }
    await this.#gone.promise;
  }

  #command(command: ReadinessCommand): void {
    this.#commands.postMessage(command);
    this.#wake.signal();
  }

  #exited(failed: (why: string) => void): void {
    this.#commands.close();
    this.#wake.close();
    this.#gone.resolve();
    if (!this.#stopping) {
      this.#stopping = true;
      failed("its thread ended");
    }
  }
}
