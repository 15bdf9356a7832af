import { dlopen, read } from "bun:ffi";
import { SystemError } from "./system-error.ts";

/**
 * The C library, as this program uses it. Only files of this folder call these symbols: what they
 * export takes and returns TypeScript values and throws {@link SystemError}.
 *
 * `size_t` parameters are declared `u64`. Results of type `ssize_t` are declared `i32`, because the
 * transfers made here are far below 2 GiB and a plain number spares a bigint on every packet.
 */
export const libc = dlopen("libc.so.6", {
  __errno_location: { args: [], returns: "ptr" },
  strerror: { args: ["i32"], returns: "cstring" },
  open: { args: ["ptr", "i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  // Variadic in C; here always with one number.
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i32" },
  write: { args: ["i32", "ptr", "u64"], returns: "i32" },
  free: { args: ["ptr"], returns: "void" },
  memfd_create: { args: ["ptr", "u32"], returns: "i32" },
  eventfd: { args: ["u32", "i32"], returns: "i32" },
  epoll_create1: { args: ["i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  unshare: { args: ["i32"], returns: "i32" },
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
  setrlimit: { args: ["i32", "ptr"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i32" },
  recvmmsg: { args: ["i32", "ptr", "u32", "i32", "ptr"], returns: "i32" },
  // For calls that the oldest C library supported has no function for. Variadic in C; here always these.
  syscall: { args: ["i64", "i64", "ptr", "i64", "i64"], returns: "i32" },
  sendmmsg: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
}).symbols;

// errno is a variable of the thread, and so is this module: every worker loads its own copy.
const errnoAddress = libc.__errno_location();

/** The error number of the C call that just failed on this thread. */
export function lastErrno(): number {
  return errnoAddress === null ? 0 : read.i32(errnoAddress, 0);
}

/** The C library's own words for an error number. */
export function errnoText(errno: number): string {
  return String(libc.strerror(errno)).toLowerCase();
}

/** Passes a result that is not negative on. @throws SystemError otherwise */
export function checked(result: number, call: string, about?: string): number {
  if (result >= 0) return result;
  throw systemError(lastErrno(), call, about);
}

/** A {@link SystemError} in the C library's words. */
export function systemError(errno: number, call: string, about?: string): SystemError {
  return new SystemError({ call, errno, detail: errnoText(errno), ...(about && { about }) });
}
