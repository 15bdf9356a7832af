import { handoverMark } from "../../../overlay/fastdp/ports.ts";
import { vniDestination, vniOriginator } from "../../../overlay/fastdp/vni.ts";
import { ethernetHeaderSize } from "../../../wire/ethernet.ts";
import type { FlowAction } from "./flow-message.ts";
import type { Ingress, Output } from "./frame-decision.ts";

/** Numbers of the datapath's ports. */
export interface PortNumbers {
  readonly containers: number;
  readonly sleeve: number;
  /** By UDP port. */
  readonly vxlan: ReadonlyMap<number, number>;
  /** Whether the kernel can tell frames by their length (Linux 5.2). */
  readonly knowsLengths: boolean;
}

/**
 * Outputs as the kernel's actions. Containers come first, then sleeve, then tunnels: a header for a
 * tunnel stays with the frame from where it is set. Only frames between datapath and sleeve keep a
 * mark: a container's frame must not have one, and on a tunnel's packet it would choose routes. What
 * is too long for a tunnel goes to sleeve instead.
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
      const { localIp, remoteIp, port, mtu } = output.neighbour;
      const through = ports.vxlan.get(port);
      if (through === undefined) continue;
      setMark(0);
      const key = { vni: output.vni, source: localIp, destination: remoteIp };
      const tunnel: FlowAction[] = [
        { kind: "tunnel", key },
        { kind: "output", port: through },
      ];
      if (mtu === undefined || !ports.knowsLengths) actions.push(...tunnel);
      else actions.push(orSleeve(mtu, output.vni, tunnel, ports));
    }
  }
  return actions;
}

function orSleeve(
  mtu: number,
  vni: number,
  tunnel: readonly FlowAction[],
  ports: PortNumbers,
): FlowAction {
  const mark = handoverMark(vniOriginator(vni), vniDestination(vni));
  return {
    kind: "ifLonger",
    octets: mtu + ethernetHeaderSize,
    longer: [
      { kind: "mark", mark },
      { kind: "output", port: ports.sleeve },
    ],
    otherwise: tunnel,
  };
}

const order = { containers: 0, sleeve: 1, tunnel: 2 } as const;

function inOrder(outputs: readonly Output[]): Output[] {
  return [...outputs].sort((a, b) => order[a.kind] - order[b.kind]);
}
