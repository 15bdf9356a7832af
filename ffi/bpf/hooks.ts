import { Attributes, command } from "./call.ts";

/** Where a program that decides about frames may sit on a device, without a queueing discipline. */
export const tcxHook = { ingress: 46, egress: 47 } as const;

const replaceFlag = 4;

/** Puts a program behind those that sit at this hook already. @throws SystemError */
export function attachProgram(program: number, interfaceIndex: number, hook: number): void {
  hookAttributes(program, interfaceIndex, hook).checkedCall(command.programAttach, "attach");
}

/** Puts a program in the place of another, without a frame that meets neither. @throws SystemError */
export function replaceProgram(
  program: number,
  interfaceIndex: number,
  hook: number,
  former: number,
): void {
  hookAttributes(program, interfaceIndex, hook)
    .u32(12, replaceFlag)
    .u32(16, former)
    .checkedCall(command.programAttach, "replace");
}

function hookAttributes(program: number, interfaceIndex: number, hook: number): Attributes {
  return new Attributes().u32(0, interfaceIndex).u32(4, program).u32(8, hook);
}

const attachedMax = 64;

/** The ids of the programs at a hook, in their order. @throws SystemError */
export function attachedPrograms(interfaceIndex: number, hook: number): number[] {
  const ids = new Uint32Array(new ArrayBuffer(4 * attachedMax));
  const attributes = new Attributes()
    .u32(0, interfaceIndex)
    .u32(4, hook)
    .pointer(16, new Uint8Array(ids.buffer))
    .u32(24, attachedMax);
  attributes.checkedCall(command.programQuery, "attached programs");
  return [...ids.subarray(0, attributes.view.getUint32(24, true))];
}
