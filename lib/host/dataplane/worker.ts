import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from "node:worker_threads";
import { enterNetworkNamespace } from "../../../ffi/namespace.ts";
import { setSlice } from "../../../ffi/scheduling.ts";
import { assert } from "../../base/errors.ts";
import { DataPlaneLoop } from "./loop.ts";
import type { Command, WorkerSetup } from "./protocol.ts";

/**
 * It sleeps more than it works, and what it works on has waited for it to wake: beside programs
 * that compute it gets no larger part of the processor than they, but its part in smaller pieces
 * and so sooner. The kernel's least.
 */
const computesForNs = 100_000;

/** The entry point of the data-plane thread. Started by {@link DataPlane} alone. */
const main = parentPort;
assert(main !== null, "the data-plane worker runs in a thread of its own");
const { setup, commands }: { setup: WorkerSetup; commands: MessagePort } = workerData;

enterNetworkNamespace(setup.namespaceDescriptor, "the router's namespace");
try {
  setSlice(computesForNs);
} catch {
  // A sandbox that does not allow it: frames then wait as long as everybody does.
}
new DataPlaneLoop(setup, {
  nextCommand: () => receiveMessageOnPort(commands)?.message as Command | undefined,
  post: (events) => main.postMessage(events),
}).run();
