import type { Socket } from "node:net";
import { SOL_SOCKET, setSocketOption, socketBytes } from "../../ffi/socket.ts";
import { silenceMaxMs } from "../mesh/transport.ts";
import { descriptorOf } from "./net-descriptor.ts";

/**
 * Has the kernel watch over a TCP connection, whatever runs at its other end: it asks the remote
 * kernel, which answers also while its process is busy or stopped.
 *
 *   idle ──3 s──▶ asked once a second ──answer──▶ idle
 *   data on its way ──────────────────────────┐
 *                   asked, no answer for 9 s ─┴──▶ ETIMEDOUT
 *
 * Six questions or repetitions fit, so that a line that loses every tenth packet breaks nothing.
 */
const SO_KEEPALIVE = 9;
const SOL_TCP = 6;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_INFO = 11;
const TCP_USER_TIMEOUT = 18;

const idleSeconds = 3;
const intervalSeconds = 1;

/** `struct tcp_info` up to and with `tcpi_rtt`, which is in microseconds. */
const tcpInfoBytes = 72;
const roundTripOffset = 68;

/** @throws SystemError */
export function watchRemote(socket: Socket): void {
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined) return;
  const about = "watching a TCP connection";
  setSocketOption(descriptor, SOL_TCP, TCP_KEEPIDLE, idleSeconds, about);
  setSocketOption(descriptor, SOL_TCP, TCP_KEEPINTVL, intervalSeconds, about);
  setSocketOption(descriptor, SOL_TCP, TCP_USER_TIMEOUT, silenceMaxMs, about);
  setSocketOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1, about);
}

/** Smoothed, in milliseconds, as the kernel measured it; `undefined` for a closed socket. */
export function roundTripMs(socket: Socket): number | undefined {
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined) return undefined;
  const info = socketBytes(descriptor, SOL_TCP, TCP_INFO, tcpInfoBytes, "TCP statistics");
  return info.getUint32(roundTripOffset, true) / 1000;
}
