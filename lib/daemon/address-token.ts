import { type Ipv4Cidr, parseIpv4Cidr } from "../base/ip.ts";

/**
 * How operators write addresses (cli §2):
 *
 *   10.2.1.1/24   ip:10.2.1.1/24    this address
 *   net:10.2.1.0/24                 any address of this subnet
 *   net:default                     any address of the default subnet
 */
export type AddressToken =
  | { readonly kind: "address"; readonly cidr: Ipv4Cidr }
  | { readonly kind: "subnet"; readonly text: string };

/** The token that stands for "no address was given". */
export const defaultToken = "net:default";

/** @throws WeaveError `CIDR_FORMAT`; a subnet is checked when it is used, for the allocator knows its rules */
export function parseAddressToken(text: string): AddressToken {
  if (text.startsWith("net:")) return { kind: "subnet", text: text.slice("net:".length) };
  return { kind: "address", cidr: parseIpv4Cidr(text.startsWith("ip:") ? text.slice(3) : text) };
}

export function parseAddressTokens(texts: readonly string[]): AddressToken[] {
  return (texts.length === 0 ? [defaultToken] : texts).map(parseAddressToken);
}
