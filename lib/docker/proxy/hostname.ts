import type { GoPattern } from "../../base/go-pattern.ts";
import { encodeName } from "../../wire/dns-name.ts";

/** How a container's host name follows from what it is called (docker.md §5.1). */
export interface HostnameRule {
  /** Label whose value goes before the container's name; empty for none. */
  readonly fromLabel: string;
  readonly match: GoPattern;
  /** With the groups of the match as `$1` and `$name`. */
  readonly replacement: string;
}

/** A name and a domain have at most so many characters, dot included (Linux: HOST_NAME_MAX). */
export const hostnameCharactersMax = 64;

/** What is longer is no name, and expressions could take long over it. */
const sourceCharactersMax = 255;

/**
 * Empty for a container that gets none.
 *
 * @param name the container's; empty when the engine chooses it
 * @param label value of the label with that key; empty when there is none
 */
export function derivedHostname(
  { fromLabel, match, replacement }: HostnameRule,
  name: string,
  label: (key: string) => string,
): string {
  const source = (fromLabel === "" ? "" : label(fromLabel)) || name;
  if (source === "" || source.length > sourceCharactersMax) return source;
  return match.replaceAll(source, replacement);
}

/** The two as fields of a container; why there are none where others could not find it by them. */
export function hostnameFields(
  hostname: string,
  domain: string,
): { readonly Hostname: string; readonly Domainname: string } | string {
  const plain = domain.replace(/\.$/, "");
  const because = (why: string): string =>
    `"${hostname}" is ${why} in ${domain}: others do not find the container by it`;
  if (hostname.length + 1 + plain.length > hostnameCharactersMax) {
    return because("too long for a host name");
  }
  if (encodeName(`${hostname}.${plain}`) === undefined) return because("no host name");
  return { Hostname: hostname, Domainname: plain };
}
