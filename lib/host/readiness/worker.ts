import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from "node:worker_threads";
import { Epoll, EventCounter } from "../../../ffi/descriptor.ts";
import { assert } from "../../base/errors.ts";
import type { ReadinessCommand, ReadinessSetup } from "./readiness-watch.ts";

/** The entry point of the thread that sleeps for {@link ReadinessWatch}. */
const main = parentPort;
assert(main !== null, "this watch runs in a thread of its own");
const { wakeDescriptor, commands }: ReadinessSetup & { commands: MessagePort } = workerData;

const wake = new EventCounter(wakeDescriptor);
const epoll = new Epoll(4);
epoll.add(wake.descriptor);

watch: for (;;) {
  for (;;) {
    const command: ReadinessCommand | undefined = receiveMessageOnPort(commands)?.message;
    if (command === undefined) break;
    if (command.kind === "quit") break watch;
    epoll.add(command.descriptor);
  }
  const ready = epoll.wait(-1);
  for (let index = 0; index < ready; index++) {
    const descriptor = epoll.ready(index);
    if (descriptor === wake.descriptor) {
      wake.clear();
    } else {
      // Until it has been read: it stays readable, and one word of it is enough.
      epoll.remove(descriptor);
      main.postMessage(descriptor);
    }
  }
}
epoll.close();
