import { closeDescriptor, Epoll } from "../../ffi/descriptor.ts";
import { libc } from "../../ffi/libc.ts";
import { addressOf, pinnedBytes } from "../../ffi/memory.ts";
import {
  AF_PACKET,
  bindSocket,
  openSocket,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
  setSocketOption,
  sockaddrLl,
} from "../../ffi/socket.ts";
import { fromUtf8 } from "../../lib/base/bytes.ts";
import { findLink } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import { Impairment, type Impairments } from "./impairment.ts";

/**
 * A cable that loses, delays, reorders, repeats, refuses and swallows what it carries:
 *
 *   bun test/hosts/impaired-link.ts <interface> <interface> [seed]
 *
 * Joins two interfaces of its network namespace. Every line of its input is an `Impairments` object
 * that counts from then on, and is answered by `ok`; it ends with its input. It is a process of its
 * own so that it has a processor of its own.
 */
const ETH_P_ALL = 0x0003;
const SO_RCVBUFFORCE = 33;
const PACKET_IGNORE_OUTGOING = 23;
const receiveBufferBytes = 32 << 20;
const readsPerTurnMax = 256;
const sleepMaxMs = 1000;
const input = 0;

/** One end of the cable. */
class End {
  readonly descriptor: number;
  readonly #buffer = pinnedBytes(65_536 + 64);

  constructor(interfaceName: string) {
    using netlink = openRoute();
    const link = findLink(netlink, { name: interfaceName });
    if (link === undefined) throw new Error(`no interface ${interfaceName}`);
    this.descriptor = openSocket(AF_PACKET, SOCK_RAW, 0, interfaceName);
    const set = (level: number, option: number, value: number): void =>
      setSocketOption(this.descriptor, level, option, value, interfaceName);
    set(SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes);
    set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    bindSocket(this.descriptor, sockaddrLl(link.index, ETH_P_ALL), interfaceName);
  }

  /** The next frame that came in, valid until the next call; `undefined` when none waits. */
  read(): Uint8Array | undefined {
    const length = libc.read(this.descriptor, addressOf(this.#buffer), this.#buffer.length);
    return length > 0 ? this.#buffer.subarray(0, length) : undefined;
  }

  /** A frame that the interface has no room for is lost. */
  readonly write = (frame: Uint8Array): void => {
    libc.send(this.descriptor, frame, frame.length, 0);
  };
}

const [left = "", right = "", seed = "1"] = process.argv.slice(2);
const ends = [new End(left), new End(right)] as const;
const ways = [
  { from: ends[0], to: ends[1], impairment: new Impairment(Number(seed), ends[0].write) },
  { from: ends[1], to: ends[0], impairment: new Impairment(Number(seed) + 1, ends[1].write) },
];

const epoll = new Epoll(4);
for (const descriptor of [input, ends[0].descriptor, ends[1].descriptor]) epoll.add(descriptor);
console.log("ok");
while (turn()) {}
epoll.close();
for (const { descriptor } of ends) closeDescriptor(descriptor);

/** Sleeps until something comes in or is due; false at the end of input. */
function turn(): boolean {
  const nextMs = Math.min(...ways.map(({ impairment }) => impairment.nextMs));
  const waitMs = Math.ceil(nextMs - performance.now());
  const ready = epoll.wait(Math.max(0, Math.min(waitMs, sleepMaxMs)));
  let goesOn = true;
  for (let index = 0; index < ready; index++) {
    if (epoll.ready(index) === input) goesOn = obey();
  }
  for (const { from, to, impairment } of ways) {
    const nowMs = performance.now();
    for (let left = readsPerTurnMax; left > 0; left--) {
      const frame = from.read();
      if (frame === undefined) break;
      impairment.offer(frame, nowMs);
    }
    impairment.deliver(performance.now(), to.write);
  }
  return goesOn;
}

/** Takes the lines that wait; they are short and come whole. */
function obey(): boolean {
  const buffer = pinnedBytes(4096);
  const length = libc.read(input, addressOf(buffer), buffer.length);
  if (length <= 0) return false;
  for (const line of fromUtf8(buffer.subarray(0, length)).trim().split("\n")) {
    const impairments: Impairments = JSON.parse(line);
    for (const { impairment } of ways) impairment.impairments = impairments;
    console.log("ok");
  }
  return true;
}
