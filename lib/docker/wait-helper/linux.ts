import type { Machine } from "./elf.ts";

/** What the wait helper asks of Linux: numbers of system calls (asm/unistd.h) and constants. */

export type SystemCalls = Readonly<Record<keyof typeof x86Calls, number>>;

const x86Calls = {
  write: 1,
  close: 3,
  rt_sigaction: 13,
  ioctl: 16,
  nanosleep: 35,
  socket: 41,
  sendto: 44,
  recvfrom: 45,
  execve: 59,
  clock_gettime: 228,
  exit_group: 231,
};

export const systemCalls: Readonly<Record<Machine, SystemCalls>> = {
  "x86-64": x86Calls,
  arm64: {
    ioctl: 29,
    close: 57,
    write: 64,
    exit_group: 94,
    nanosleep: 101,
    clock_gettime: 113,
    rt_sigaction: 134,
    socket: 198,
    sendto: 206,
    recvfrom: 207,
    execve: 221,
  },
};

export const standardError = 2;

export const CLOCK_MONOTONIC = 1;

export const AF_INET = 2;
export const AF_NETLINK = 16;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;

/** netdevice(7) */
export const SIOCGIFFLAGS = 0x8913;
export const interfaceUpBit = 0;

/** rtnetlink(7) */
export const RTM_NEWROUTE = 24;
export const RTM_GETROUTE = 26;
export const RTA_DST = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLM_F_REQUEST = 1;
export const NLM_F_DUMP = 0x300;

export const ENOENT = 2;
export const ENOEXEC = 8;
export const EACCES = 13;
export const ENOTDIR = 20;

/** The kernel takes no handler without somewhere to return to, on some machines (sigaction(2)). */
export const SA_RESTORER = 0x04000000;
export const signalSetBytes = 8;
/** Those that ask a program to end: SIGHUP, SIGINT, SIGQUIT, SIGTERM. */
export const endingSignals = [1, 2, 3, 15];
