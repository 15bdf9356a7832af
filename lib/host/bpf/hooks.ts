import {
  attachedPrograms,
  attachProgram,
  replaceProgram,
  tcxHook,
} from "../../../ffi/bpf/hooks.ts";
import { programById, programInformation } from "../../../ffi/bpf/programs.ts";
import { closeDescriptor } from "../../../ffi/descriptor.ts";
import { isSystemError } from "../../../ffi/system-error.ts";
import type { Netlink } from "../netlink/conversation.ts";
import {
  type Edge,
  prepareEdges,
  programFilter,
  putProgramFilter,
} from "../netlink/traffic-control.ts";

/**
 * Where programs sit: at the two edges of a device, by TCX (Linux 6.6) or, before that, by clsact.
 * Either way they stay when this process ends, go with the device, and leave what others have put
 * there alone: ours come last of all.
 */
export interface Place {
  /** Index of the device, in the thread's network namespace. */
  readonly device: number;
  readonly edge: Edge;
}

const preference = 0xbf00;
const loopbackIndex = 1;

export type Hooks = {
  /**
   * Puts a program in the place of ours of the same name, or behind all others. Whether there was
   * none of that name.
   */
  put(place: Place, program: { readonly descriptor: number; readonly name: string }): boolean;
  /** A descriptor of the program of this name. */
  find(place: Place, name: string): number | undefined;
};

export function openHooks(netlink: Netlink): Hooks {
  return hasTcx() ? tcxHooks : new ClsactHooks(netlink);
}

/** Whether the kernel has the newer of the two. */
export function hasTcx(): boolean {
  try {
    attachedPrograms(loopbackIndex, tcxHook.ingress);
    return true;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

export const tcxHooks: Hooks = {
  put({ device, edge }, program) {
    const former = tcxHooks.find({ device, edge }, program.name);
    if (former === undefined) {
      attachProgram(program.descriptor, device, tcxHook[edge]);
      return true;
    }
    try {
      const { id } = programInformation(former);
      if (id !== programInformation(program.descriptor).id) {
        replaceProgram(program.descriptor, device, tcxHook[edge], former);
      }
      return false;
    } finally {
      closeDescriptor(former);
    }
  },

  find({ device, edge }, name) {
    for (const id of attachedPrograms(device, tcxHook[edge])) {
      const descriptor = programById(id);
      if (programInformation(descriptor).name === name) return descriptor;
      closeDescriptor(descriptor);
    }
    return undefined;
  },
};

export class ClsactHooks implements Hooks {
  readonly #netlink: Netlink;

  constructor(netlink: Netlink) {
    this.#netlink = netlink;
  }

  put(place: Place, program: { descriptor: number; name: string }): boolean {
    const { device: index, edge } = place;
    const former = this.#filter(place, program.name);
    if (former?.id === programInformation(program.descriptor).id) return false;
    prepareEdges(this.#netlink, index);
    putProgramFilter(this.#netlink, { index, edge, preference }, program);
    return former === undefined;
  }

  find(place: Place, name: string): number | undefined {
    const filter = this.#filter(place, name);
    return filter && programById(filter.id);
  }

  #filter({ device: index, edge }: Place, name: string): ReturnType<typeof programFilter> {
    const filter = programFilter(this.#netlink, { index, edge, preference });
    return filter?.name === name ? filter : undefined;
  }
}
