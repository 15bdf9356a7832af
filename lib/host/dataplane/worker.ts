import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from "node:worker_threads";
import { enterNetworkNamespace } from "../../../ffi/namespace.ts";
import { assert } from "../../base/errors.ts";
import { DataPlaneLoop } from "./loop.ts";
import type { Command, WorkerSetup } from "./protocol.ts";

/** The entry point of the data-plane thread. Started by {@link DataPlane} alone. */
const main = parentPort;
assert(main !== null, "the data-plane worker runs in a thread of its own");
const { setup, commands }: { setup: WorkerSetup; commands: MessagePort } = workerData;

enterNetworkNamespace(setup.namespaceDescriptor, "the router's namespace");
new DataPlaneLoop(setup, {
  nextCommand: () => receiveMessageOnPort(commands)?.message as Command | undefined,
  post: (events) => main.postMessage(events),
}).run();
