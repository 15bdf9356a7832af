import type { FlowAction } from "./flow-message.ts";
import type { Ingress, Output } from "./frame-decision.ts";

/** Numbers of the datapath's ports. */
export interface PortNumbers {
  readonly containers: number;
  readonly sleeve: number;
  /** By UDP port. */
  readonly vxlan: ReadonlyMap<number, number>;
}

/**
 * Outputs as the kernel's actions. Containers come first, then sleeve, then tunnels: a header for a
 * tunnel stays with the frame from where it is set. Only frames between datapath and sleeve keep a
 * mark: a container's frame must not have one, and on a tunnel's packet it would choose routes.
 */
export function actionsFor(
  ingress: Ingress,
  outputs: readonly Output[],
  ports: PortNumbers,
): FlowAction[] {
  const actions: FlowAction[] = [];
  let mark = ingress.kind === "containers" ? 0 : undefined;
  const setMark = (wanted: number): void => {
    if (mark !== wanted) actions.push({ kind: "mark", mark: wanted });
    mark = wanted;
  };
  for (const output of inOrder(outputs)) {
    if (output.kind === "containers") {
      setMark(0);
      actions.push({ kind: "output", port: ports.containers });
    } else if (output.kind === "sleeve") {
      setMark(output.mark);
      actions.push({ kind: "output", port: ports.sleeve });
    } else {
      const { localIp, remoteIp, port } = output.neighbour;
      const through = ports.vxlan.get(port);
      if (through === undefined) continue;
      setMark(0);
      const key = { vni: output.vni, source: localIp, destination: remoteIp };
      actions.push({ kind: "tunnel", key }, { kind: "output", port: through });
    }
  }
  return actions;
}

const order = { containers: 0, sleeve: 1, tunnel: 2 } as const;

function inOrder(outputs: readonly Output[]): Output[] {
  return [...outputs].sort((a, b) => order[a.kind] - order[b.kind]);
}
