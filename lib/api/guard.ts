import { splitHostPort } from "../base/endpoint.ts";
import { tryParseIp } from "../base/ip.ts";

/**
 * Tells requests that a browser sends on behalf of a web page, and why they are refused. A page can
 * make the browser of whoever reads it send requests to 127.0.0.1, but then there is
 *
 *   Origin            on all that are not a plain GET
 *   Sec-Fetch-Site    other than `none`, which stands for an address typed by the reader
 *   Host              with the name of the page's own site, after DNS rebinding
 */
export function browserRefusal(headers: Headers): string | undefined {
  const site = headers.get("Sec-Fetch-Site");
  if (headers.has("Origin") || (site !== null && site !== "none")) {
    return "requests from web pages are refused";
  }
  const host = headers.get("Host");
  if (host === null || isOwnHost(host)) return undefined;
  return `requests for host "${host}" are refused: use an IP address or localhost`;
}

/** An address or `localhost`: no name that a stranger's DNS server could answer for. */
export function isOwnHost(host: string): boolean {
  const name = splitHostPort(host)?.host;
  return name !== undefined && (name === "localhost" || tryParseIp(name) !== undefined);
}
