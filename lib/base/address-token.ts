import { type Ipv4Cidr, parseIpv4Cidr } from "./ip.ts";

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
const defaultToken = "net:default";

const addressPrefix = "ip:";
const subnetPrefix = "net:";

/**
 * Whether a word of a command line is meant as an address and not as the name of a container: it
 * has one of the prefixes, or the form of an address of either family with a prefix length. Whether
 * it is a proper one is for {@link parseAddressToken} to say.
 */
export function isAddressToken(word: string): boolean {
  if (word.startsWith(addressPrefix) || word.startsWith(subnetPrefix)) return true;
  return /^[\da-f:.]+\/\d+$/i.test(word);
}

/** @throws WeaveError `CIDR_FORMAT`; a subnet is checked when it is used, for the allocator knows its rules */
export function parseAddressToken(text: string): AddressToken {
  if (text.startsWith(subnetPrefix)) {
    return { kind: "subnet", text: text.slice(subnetPrefix.length) };
  }
  const cidr = text.startsWith(addressPrefix) ? text.slice(addressPrefix.length) : text;
  return { kind: "address", cidr: parseIpv4Cidr(cidr) };
}

/** All of them, or {@link defaultToken} for none. @throws as {@link parseAddressToken} */
export function parseAddressTokens(texts: readonly string[]): AddressToken[] {
  return (texts.length === 0 ? [defaultToken] : texts).map(parseAddressToken);
}
