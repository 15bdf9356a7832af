import { checked, libc } from "./libc.ts";
import { cString } from "./memory.ts";

/** The calls that move the calling thread between network namespaces, and what keeps one alive. */

const CLONE_NEWNET = 0x40000000;
const MS_BIND = 0x1000;
const MNT_DETACH = 2;

/** Moves the calling thread, and it alone, into an open network namespace. @throws SystemError */
export function enterNetworkNamespace(descriptor: number, about: string): void {
  checked(libc.setns(descriptor, CLONE_NEWNET), "setns", about);
}

/** Moves the calling thread into a new, empty network namespace. @throws SystemError */
export function newNetworkNamespace(): void {
  checked(libc.unshare(CLONE_NEWNET), "unshare", "network namespace");
}

/** Makes `source` also appear at the existing path `target`. @throws SystemError */
export function bindMount(source: string, target: string): void {
  checked(
    libc.mount(cString(source), cString(target), cString("none"), MS_BIND, null),
    "mount --bind",
    target,
  );
}

/** @throws SystemError */
export function unmount(target: string): void {
  checked(libc.umount2(cString(target), MNT_DETACH), "umount", target);
}
