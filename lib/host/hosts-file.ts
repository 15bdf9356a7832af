import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { WeaveError } from "../base/errors.ts";
import type { Container } from "./container.ts";
import { namedNamespaceFolder } from "./netns.ts";

/** What is in a hosts file beside the container's own lines. */
export interface AddedHosts {
  /** `name:address` each; the first colon is where they part, so that IPv6 has a place. */
  readonly pairs: readonly string[];
  /** The file as the engine made it, in which it has resolved {@link gatewayWord}. */
  readonly present?: string;
}

/** Stands for the address of the host, which only the engine knows. */
const gatewayWord = "host-gateway";

/**
 * The text of a hosts file for a container on the overlay (cli §8, docker §8).
 *
 * @param names the container's host name and its fully qualified name, without final dot
 * @param addresses the container's addresses on the overlay
 */
export function hostsFileText(
  names: { readonly hostname: string; readonly fqdn: string },
  addresses: readonly string[],
  added: AddedHosts,
): string {
  const own = names.fqdn === names.hostname ? names.hostname : `${names.fqdn} ${names.hostname}`;
  const line = (address: string, name: string): string => `${address.padEnd(15)} ${name}`;
  return [
    "# created by Weave - BEGIN",
    "# container hostname",
    ...addresses.map((address) => line(address, own)),
    "",
    "# static names added with --add-host",
    ...readAdded(added).map(({ name, address }) => line(address, name)),
    "",
    "# default localhost entries",
    line("127.0.0.1", "localhost"),
    line("::1", "ip6-localhost ip6-loopback"),
    line("fe00::0", "ip6-localnet"),
    line("ff00::0", "ip6-mcastprefix"),
    line("ff02::1", "ip6-allnodes"),
    line("ff02::2", "ip6-allrouters"),
    "# created by Weave - END",
    "",
  ].join("\n");
}

/** Pairs without colon, or whose address is not known, are left out. */
function readAdded({ pairs, present = "" }: AddedHosts): { name: string; address: string }[] {
  return pairs.flatMap((pair) => {
    const colon = pair.indexOf(":");
    if (colon < 0) return [];
    const name = pair.slice(0, colon);
    const given = pair.slice(colon + 1).replace(/^\[(.*)\]$/, "$1");
    if (given !== gatewayWord) return [{ name, address: given }];
    // Both families of the host have a line each.
    return addressesIn(present, name).map((address) => ({ name, address }));
  });
}

/** Addresses that a hosts file gives to a name. */
function addressesIn(text: string, name: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    return address !== undefined && names.includes(name) ? [address] : [];
  });
}

/**
 * Writes the hosts file that programs of the container read: the one that its engine has made for
 * it, else `/etc/netns/<name>/hosts` for a named namespace (ip-netns(8)), `/etc/hosts` in the root of
 * its process otherwise. It is written in place, because engines bind-mount it.
 *
 * @param textFor makes the text out of what is in the file
 * @throws WeaveError `HOSTS_FILE` when the container has no hosts file of its own
 */
export function writeHostsFile(container: Container, textFor: (present: string) => string): void {
  const path = container.hostsPath ?? hostsPathOf(container);
  try {
    const file = openWithoutLink(path);
    try {
      const present = readFileSync(file, "utf8");
      const text = textFor(present);
      if (text === present) return;
      ftruncateSync(file);
      writeSync(file, text, 0);
      if (path === container.hostsPath) giveEngineAnother(path, file, text);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new WeaveError("HOSTS_FILE", `cannot write ${path}`, {
      remedy: "attach without --rewrite-hosts and --add-host",
      cause,
    });
  }
}

/**
 * An engine has mounted the file into the container and goes on to edit it: the container keeps the
 * file that it has, and the engine finds another one in its place.
 *
 *   path ──▶ file ◀── container            path ──▶ copy      file ◀── container
 *             ▲                      ─▶              ▲
 *           engine                                 engine
 */
function giveEngineAnother(path: string, file: number, text: string): void {
  const { mode, uid, gid } = fstatSync(file);
  unlinkSync(path);
  writeFileSync(path, text, { flag: "wx" });
  chmodSync(path, mode & 0o7777);
  chownSync(path, uid, gid);
}

/** What a container has put there in its place must not lead to a file of the host's. */
function openWithoutLink(path: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new Error("it is no file");
}

function hostsPathOf({ ident, namespacePath }: Container): string {
  if (namespacePath.startsWith(`${namedNamespaceFolder}/`)) {
    const folder = `/etc/netns/${namespacePath.slice(namedNamespaceFolder.length + 1)}`;
    mkdirSync(folder, { recursive: true });
    return `${folder}/hosts`;
  }
  const process = /^(\/proc\/\d+)\/ns\/net$/.exec(namespacePath)?.[1];
  const folder = `${process}/root/etc`;
  if (process !== undefined && !isHostRoot(`${process}/root`) && isOwnFolder(folder)) {
    return `${folder}/hosts`;
  }
  throw new WeaveError("HOSTS_FILE", `${ident} has no hosts file of its own`, {
    remedy: "attach without --rewrite-hosts and --add-host: the file belongs to the host",
  });
}

function isHostRoot(path: string): boolean {
  const [theirs, ours] = [statSync(`${path}/`), statSync("/")];
  return theirs.dev === ours.dev && theirs.ino === ours.ino;
}

/** A link in a container's root leads, from here, into the host's. */
function isOwnFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
