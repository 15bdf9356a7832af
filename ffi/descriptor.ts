import { close } from "node:fs";
import { checked, lastErrno, libc, systemError } from "./libc.ts";
import { addressOf, cString, pinnedBytes } from "./memory.ts";

/** File descriptors: opening by path, event counters and waiting for several at once. */

const O_RDONLY = 0;
const O_CLOEXEC = 0o2000000;
const EINTR = 4;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 1;
const EPOLLOUT = 4;

/** Opens for reading, close-on-exec. @throws SystemError */
export function openReadOnly(path: string): number {
  return checked(libc.open(cString(path), O_RDONLY | O_CLOEXEC, 0), "open", path);
}

/** @throws SystemError, which for a valid descriptor never happens */
export function closeDescriptor(descriptor: number): void {
  checked(libc.close(descriptor), "close", `descriptor ${descriptor}`);
}

/**
 * What only one process at a time does with the file or folder at `path`: waits until those before it
 * have done it (flock(2)). @throws SystemError, or what the action throws
 */
export function aloneWith<T>(path: string, action: () => T): T {
  const LOCK_EX = 2;
  const descriptor = openReadOnly(path);
  try {
    checked(libc.flock(descriptor, LOCK_EX), "flock", path);
    return action();
  } finally {
    closeDescriptor(descriptor);
  }
}

/** Another descriptor, close-on-exec, of what this one is of. @throws SystemError */
export function duplicateDescriptor(descriptor: number): number {
  const F_DUPFD_CLOEXEC = 1030;
  return checked(libc.fcntl(descriptor, F_DUPFD_CLOEXEC, 0), "fcntl", `descriptor ${descriptor}`);
}

/** Has another thread close it, for the kernel lets whoever closes the last one of some kinds wait. */
export function closeElsewhere(descriptor: number): void {
  // Whatever goes wrong, there is nothing left that could be done about it.
  close(descriptor, () => {});
}

/** An anonymous file in memory with this content, close-on-exec. @throws SystemError */
export function memoryFile(name: string, content: Uint8Array): number {
  const MFD_CLOEXEC = 1;
  const descriptor = checked(libc.memfd_create(cString(name), MFD_CLOEXEC), "memfd_create", name);
  for (let at = 0; at < content.length; ) {
    const rest = content.subarray(at);
    at += checked(libc.write(descriptor, rest, rest.length), "write", name);
  }
  return descriptor;
}

/**
 * A counter that makes a descriptor readable: how one thread wakes another that sleeps in
 * {@link Epoll.wait}. The creator owns the descriptor; the other thread wraps its number.
 */
export class EventCounter {
  readonly descriptor: number;
  readonly #value = pinnedBytes(8);

  constructor(descriptor?: number) {
    const EFD_CLOEXEC = 0o2000000;
    const EFD_NONBLOCK = 0o4000;
    this.descriptor = descriptor ?? checked(libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  }

  /** Makes the descriptor readable. */
  signal(): void {
    new DataView(this.#value.buffer).setBigUint64(0, 1n, true);
    libc.write(this.descriptor, this.#value, 8);
  }

  /** Takes note of all signals so far. */
  clear(): void {
    libc.read(this.descriptor, this.#value, 8);
  }

  close(): void {
    closeDescriptor(this.descriptor);
  }
}

/**
 * Waits until one of several descriptors is readable.
 *
 *   struct epoll_event   x86-64: packed, 12 octets     others: 16 octets
 *   +------------+------------------+                  +--------+-----+------------+
 *   | events: 4  | data: 8          |                  | events | pad | data: 8    |
 *   +------------+------------------+                  +--------+-----+------------+
 */
export class Epoll {
  readonly descriptor: number;
  readonly #eventsMax: number;
  readonly #events: DataView<ArrayBuffer>;
  readonly #eventBytes = process.arch === "x64" ? 12 : 16;
  readonly #dataAt = process.arch === "x64" ? 4 : 8;

  /** @param descriptor of one that another thread has made, and closes; without it a new one */
  constructor(eventsMax: number, descriptor?: number) {
    const EPOLL_CLOEXEC = 0o2000000;
    this.descriptor = descriptor ?? checked(libc.epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    this.#eventsMax = eventsMax;
    this.#events = new DataView(new ArrayBuffer(eventsMax * this.#eventBytes));
  }

  /** Reports `descriptor` from now on whenever it is readable or in error (level-triggered). */
  add(descriptor: number): void {
    this.#control(EPOLL_CTL_ADD, descriptor, EPOLLIN);
  }

  /** Whether `descriptor` is also reported when it takes more to send. */
  watchWritable(descriptor: number, watch: boolean): void {
    this.#control(EPOLL_CTL_MOD, descriptor, watch ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  remove(descriptor: number): void {
    this.#control(EPOLL_CTL_DEL, descriptor, 0);
  }

  #control(operation: number, descriptor: number, events: number): void {
    const event = new DataView(new ArrayBuffer(this.#eventBytes));
    event.setUint32(0, events, true);
    event.setInt32(this.#dataAt, descriptor, true);
    checked(
      libc.epoll_ctl(this.descriptor, operation, descriptor, addressOf(event)),
      "epoll_ctl",
      `descriptor ${descriptor}`,
    );
  }

  /**
   * Sleeps up to `timeoutMs` (whole milliseconds, negative: for ever); returns how many descriptors
   * are ready. {@link ready} names them until the next call.
   */
  wait(timeoutMs: number): number {
    const count = libc.epoll_wait(
      this.descriptor,
      addressOf(this.#events),
      this.#eventsMax,
      timeoutMs,
    );
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno === EINTR) return 0;
    throw systemError(errno, "epoll_wait");
  }

  ready(index: number): number {
    return this.#events.getInt32(index * this.#eventBytes + this.#dataAt, true);
  }

  close(): void {
    closeDescriptor(this.descriptor);
  }
}
