import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { WeaveError } from "../base/errors.ts";
import type { Container } from "./container.ts";
import { namedNamespaceFolder } from "./netns.ts";

/**
 * The text of a hosts file for a container on the overlay (cli §8).
 *
 * @param names the container's host name and its fully qualified name, without final dot
 * @param addresses the container's addresses on the overlay
 * @param added `name:ip` pairs
 */
export function hostsFileText(
  names: { readonly hostname: string; readonly fqdn: string },
  addresses: readonly string[],
  added: readonly string[],
): string {
  const own = names.fqdn === names.hostname ? names.hostname : `${names.fqdn} ${names.hostname}`;
  const line = (address: string, name: string): string => `${address.padEnd(15)} ${name}`;
  return [
    "# created by Weave - BEGIN",
    "# container hostname",
    ...addresses.map((address) => line(address, own)),
    "",
    "# static names added with --add-host",
    ...added.map((pair) => {
      const colon = pair.indexOf(":");
      return line(pair.slice(colon + 1), pair.slice(0, colon));
    }),
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

/**
 * Writes the hosts file that programs of the container read: `/etc/netns/<name>/hosts` for a named
 * namespace (ip-netns(8)), `/etc/hosts` in the root of its process otherwise. It is written in
 * place, because engines bind-mount it.
 *
 * @throws WeaveError `HOSTS_FILE` when the container has no hosts file of its own
 */
export function writeHostsFile(container: Container, text: string): void {
  const path = hostsPathOf(container);
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new WeaveError("HOSTS_FILE", `cannot write ${path}`, {
      remedy: "attach without --rewrite-hosts and --add-host",
      cause,
    });
  }
}

function hostsPathOf({ ident, namespacePath }: Container): string {
  if (namespacePath.startsWith(`${namedNamespaceFolder}/`)) {
    const folder = `/etc/netns/${namespacePath.slice(namedNamespaceFolder.length + 1)}`;
    mkdirSync(folder, { recursive: true });
    return `${folder}/hosts`;
  }
  const root = /^(\/proc\/\d+)\/ns\/net$/.exec(namespacePath)?.[1];
  if (root !== undefined && !isHostRoot(`${root}/root`)) return `${root}/root/etc/hosts`;
  throw new WeaveError("HOSTS_FILE", `${ident} has no hosts file of its own`, {
    remedy: "attach without --rewrite-hosts and --add-host: the file belongs to the host",
  });
}

function isHostRoot(path: string): boolean {
  const [theirs, ours] = [statSync(`${path}/`), statSync("/")];
  return theirs.dev === ours.dev && theirs.ino === ours.ino;
}
