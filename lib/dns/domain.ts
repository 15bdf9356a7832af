import { WeaveError } from "../base/errors.ts";
import type { Ipv4 } from "../base/ip.ts";
import { encodeName, foldName } from "../wire/dns-name.ts";

/** The zone that every peer of a cluster serves (dns §1). */
export interface Domain {
  /** As configured, with a final dot: what `/domain` and `status` show. */
  readonly name: string;
  readonly folded: string;
  /** On the wire, lower-case. */
  readonly octets: Uint8Array;
}

/** @throws WeaveError `DNS_DOMAIN` when `text` is no domain name */
export function parseDomain(text: string): Domain {
  const name = fullyQualified(text);
  const folded = foldName(name);
  const octets = encodeName(folded);
  if (octets === undefined) {
    throw new WeaveError("DNS_DOMAIN", `invalid DNS domain: "${text}"`, {
      remedy: "write labels of 1 to 63 characters joined by dots, such as weave.local",
    });
  }
  return { name, folded, octets };
}

/** `name` with a final dot. */
export function fullyQualified(name: string): string {
  return name.endsWith(".") && !endsEscaped(name.slice(0, -1)) ? name : `${name}.`;
}

/** Whether the folded name `name` is `domain` or below it, compared label by label. */
export function isWithin(name: string, domain: string): boolean {
  if (name === domain || domain === ".") return true;
  const cut = name.length - domain.length;
  return (
    cut > 0 &&
    name[cut - 1] === "." &&
    name.endsWith(domain) &&
    !endsEscaped(name.slice(0, cut - 1))
  );
}

/** The folded name above `name`; `undefined` above the root. */
export function parentOf(name: string): string | undefined {
  if (name === ".") return undefined;
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    if (!endsEscaped(name.slice(0, dot)))
      return dot === name.length - 1 ? "." : name.slice(dot + 1);
  }
  return undefined;
}

/** Whether a folded name is one label, as hosts without search domains ask for (`mysql.`). */
export function isSingleLabel(name: string): boolean {
  return name !== "." && parentOf(name) === ".";
}

/** Whether the next character is escaped: an odd number of backslashes stands before it. */
function endsEscaped(text: string): boolean {
  let at = text.length;
  while (at > 0 && text[at - 1] === "\\") at--;
  return (text.length - at) % 2 === 1;
}

/** The address whose reverse name `name` is (RFC 1035 §3.5); `undefined` for any other name. */
export function reverseAddress(name: string): Ipv4 | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa\.$/.exec(name);
  if (match === null) return undefined;
  let address = 0;
  for (const octet of match.slice(1).reverse()) {
    if (Number(octet) > 255) return undefined;
    address = address * 256 + Number(octet);
  }
  return address;
}
