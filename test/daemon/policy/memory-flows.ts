import { WeaveError } from "../../../lib/base/errors.ts";
import type { HostIp } from "../../../lib/base/ip.ts";
import type { FlowLook, FlowTable, StandingFlow } from "../../../lib/policy/standing-flow.ts";

export interface MemoryFlow extends StandingFlow {
  isCut: boolean;
}

/** Flows that a test makes up, and how often they were looked at. */
export class MemoryFlows implements FlowTable<MemoryFlow> {
  readonly flows: MemoryFlow[] = [];
  readonly looks: ("all" | "cut")[] = [];
  own: HostIp | undefined;
  isBroken = false;
  /** Called at each part that a look tells, of which each has one flow. */
  told: () => void = () => {};

  look(which: "all" | "cut"): FlowLook<MemoryFlow> {
    this.looks.push(which);
    if (this.isBroken) throw new WeaveError("BROKEN", "the kernel does not tell");
    const left = this.flows.filter(({ isCut }) => which === "all" || isCut);
    return {
      isOwn: (address) => address === this.own,
      next: () => {
        this.told();
        const flow = left.shift();
        return flow && [flow];
      },
      announcer: () => undefined,
      setCut: (flow, isCut) => {
        flow.isCut = isCut;
        return this.flows.includes(flow);
      },
      [Symbol.dispose]() {},
    };
  }
}
