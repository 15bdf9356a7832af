import { Attributes } from "../../../ffi/bpf/call.ts";
import { attachedPrograms, tcxHook } from "../../../ffi/bpf/hooks.ts";
import { programById } from "../../../ffi/bpf/programs.ts";
import { closeDescriptor } from "../../../ffi/descriptor.ts";

/** `BPF_PROG_DETACH` of bpf(2). */
const programDetach = 9;

/** Takes all programs from a device of the thread's namespace; says how many there were. */
export function detachPrograms(device: number): number {
  let count = 0;
  for (const hook of Object.values(tcxHook)) {
    for (const id of attachedPrograms(device, hook)) {
      const program = programById(id);
      try {
        const attributes = new Attributes().u32(0, device).u32(4, program).u32(8, hook);
        attributes.checkedCall(programDetach, "detach");
        count++;
      } finally {
        closeDescriptor(program);
      }
    }
  }
  return count;
}
