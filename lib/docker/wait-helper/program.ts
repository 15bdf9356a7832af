import { Arm64Assembler } from "./arm64.ts";
import type { Assembler } from "./assembler.ts";
import { elfExecutable, type Machine } from "./elf.ts";
import { frame, frameBytes, kept } from "./frame.ts";
import * as linux from "./linux.ts";
import { runCommand } from "./run-command.ts";
import { Texts } from "./texts.ts";
import { type Patience, waitForInterface } from "./wait-for-interface.ts";
import { X86Assembler } from "./x86-64.ts";

/** What the command of a container waits for (docker.md §7). */
export type WaitsFor =
  /** The interface is up, and all multicast groups are routed. */
  | "route"
  /** The interface is up. */
  | "interface"
  | "nothing";

/** The interface that is waited for. */
const interfaceName = "ethwe";

const usualPatience: Patience = { firstWordAfterS: 30, nextWordAfterS: 600 };

/** Exit codes of programs that a signal ended begin here. */
const signalExitCode = 128;

/**
 * The wait helper: an executable without libraries that waits for the container's place on the
 * network and then becomes the container's own command, as the same process. It asks nothing of the
 * image, opens no file and changes nothing in the container.
 *
 *   command line ─▶ signals end it at once ─▶ waits ─▶ finds and becomes the command
 *       └─ no command: says so, exit 1                     └─ cannot: says why, exit 1
 *
 * While it waits it may be the first process of a container, which the kernel spares from signals
 * that it does not handle: without handlers Ctrl-C would do nothing, and a stop take ten seconds.
 */
export function waitHelper(
  machine: Machine,
  waitsFor: WaitsFor,
  patience: Patience = usualPatience,
): Uint8Array<ArrayBuffer> {
  const asm = machine === "arm64" ? new Arm64Assembler() : new X86Assembler();
  const calls = linux.systemCalls[machine];
  const texts = new Texts(asm);
  readCommandLine(asm);
  if (waitsFor !== "nothing") {
    handleSignals(asm, calls);
    const forRoute = waitsFor === "route";
    waitForInterface(asm, calls, texts, { name: interfaceName, forRoute, patience });
  }
  runCommand(asm, calls, texts);
  asm.label("noCommand");
  texts.write("No command specified\n");
  asm.jump("end");
  asm.label("signalled");
  asm.add("argument0", "argument0", signalExitCode);
  asm.systemCall(calls.exit_group);
  texts.define(calls);
  return elfExecutable(machine, asm.assemble());
}

function readCommandLine(asm: Assembler): void {
  asm.load(64, "argument0", "stack", 0);
  asm.jumpIf("argument0", "<", 2, "noCommand");
  asm.add(kept.command, "stack", 2 * 8);
  asm.move(kept.environment, kept.command);
  asm.label("word");
  asm.load(64, "argument0", kept.environment, 0);
  asm.add(kept.environment, kept.environment, 8);
  asm.jumpIf("argument0", "!=", 0, "word");
  asm.add("stack", "stack", -frameBytes);
}

/** Handlers do not outlive the program: the command finds signals as they were. */
function handleSignals(asm: Assembler, calls: linux.SystemCalls): void {
  asm.address("argument0", "signalled");
  asm.store(64, "stack", frame.signalHandler, "argument0");
  // Nothing returns from the handler.
  asm.store(64, "stack", frame.signalRestorer, "argument0");
  asm.set("argument0", linux.SA_RESTORER);
  asm.store(64, "stack", frame.signalFlags, "argument0");
  asm.set("argument0", 0);
  asm.store(64, "stack", frame.signalMask, "argument0");
  for (const signal of linux.endingSignals) {
    asm.set("argument0", signal);
    asm.add("argument1", "stack", frame.signalHandler);
    asm.set("argument2", 0);
    asm.set("argument3", linux.signalSetBytes);
    asm.systemCall(calls.rt_sigaction);
  }
}
