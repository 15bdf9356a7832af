import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { loadProgram, programInformation } from "../../../ffi/bpf/programs.ts";
import { closeDescriptor } from "../../../ffi/descriptor.ts";
import { Assembler, link, r0 } from "../../../lib/host/bpf/assembler.ts";
import { ClsactHooks, type Hooks, hasTcx, tcxHooks } from "../../../lib/host/bpf/hooks.ts";
import type { Netlink } from "../../../lib/host/netlink/conversation.ts";
import { createVeth, findLink } from "../../../lib/host/netlink/link.ts";
import { openRoute } from "../../../lib/host/netlink/open.ts";
import type { NetworkNamespace } from "../../../lib/host/netns.ts";
import { Laboratory } from "../laboratory.ts";

function loaded(name: string, verdict: number): { descriptor: number; name: string } {
  const asm = new Assembler();
  asm.set(r0, verdict);
  asm.exit();
  return { descriptor: loadProgram(name, link(asm.assemble(), {}), "Apache-2.0"), name };
}

describe("a place for programs", () => {
  const laboratory = new Laboratory("hooks");
  const [first, second, other] = [loaded("ours", 0), loaded("ours", -1), loaded("theirs", 0)];
  const idOf = (descriptor: number | undefined) => {
    if (descriptor === undefined) return undefined;
    const { id } = programInformation(descriptor);
    if (![first, second, other].some((each) => each.descriptor === descriptor)) {
      closeDescriptor(descriptor);
    }
    return id;
  };
  let host: NetworkNamespace;
  let netlink: Netlink;
  let device: number;

  beforeAll(() => {
    host = laboratory.namespace("h");
    netlink = openRoute(host);
    createVeth(netlink, { name: "one" }, { name: "two" });
    device = findLink(netlink, { name: "one" })!.index;
  });
  afterAll(() => {
    for (const { descriptor } of [first, second, other]) closeDescriptor(descriptor);
    netlink.close();
    laboratory.close();
  });

  const kinds: readonly (readonly [string, () => Hooks])[] = [
    ["by clsact", () => new ClsactHooks(netlink)],
    // What the kernel of this machine has not is what other kernels are tested for.
    ...(hasTcx() ? [["by TCX", () => tcxHooks] as const] : []),
  ];
  for (const [kind, open] of kinds) {
    for (const edge of ["ingress", "egress"] as const) {
      test(`${kind} at ${edge} takes one program of a name, the latest`, () => {
        host.run(() => {
          const hooks = open();
          const place = { device, edge };
          expect(hooks.find(place, "ours")).toBeUndefined();
          hooks.put(place, first);
          hooks.put(place, first);
          expect(idOf(hooks.find(place, "ours"))).toBe(idOf(first.descriptor));
          hooks.put(place, second);
          expect(idOf(hooks.find(place, "ours"))).toBe(idOf(second.descriptor));
          expect(hooks.find(place, "theirs")).toBeUndefined();
        });
      });
    }
  }
});
