import { openPacketSocket, PacketSocket } from "../../../lib/host/packet-socket.ts";
import { isHandoverMark } from "../../../lib/overlay/fastdp/ports.ts";
import type { DatapathHost } from "./datapath-lab.ts";

const receiveBytes = 1 << 20;
const carryPeriodMs = 2;

/** Carries frames with their marks, as sleeve's workers of both hosts would. */
export function sleeveBetween(a: DatapathHost, b: DatapathHost): Disposable {
  const open = (host: DatapathHost): PacketSocket =>
    new PacketSocket(
      host.inside(() =>
        openPacketSocket(host.datapath.handoverPort, receiveBytes, { marks: true }),
      ),
    );
  const sockets = [open(a), open(b)] as const;
  const carry = (from: PacketSocket, to: PacketSocket): void => {
    from.receive((bytes, at, length, _offload, mark) => {
      if (!isHandoverMark(mark)) return;
      to.mark = mark;
      to.inject(bytes, at, length);
      to.flush();
    });
  };
  const timer = setInterval(() => {
    carry(sockets[0], sockets[1]);
    carry(sockets[1], sockets[0]);
  }, carryPeriodMs);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      for (const socket of sockets) socket.close();
    },
  };
}
