import { WeaveError } from "./errors.ts";
import { formatIp, tryParseIp } from "./ip.ts";

/** Where a socket is: an IP address in canonical text and a port (0–65535). */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `a.b.c.d:port`, or `[v6]:port`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.host.includes(":")
    ? `[${endpoint.host}]:${endpoint.port}`
    : `${endpoint.host}:${endpoint.port}`;
}

/** `host:port` with an IP address as host; `undefined` when `text` is anything else. */
export function tryParseEndpoint(text: string): Endpoint | undefined {
  const parts = splitHostPort(text);
  if (parts?.port === undefined) return undefined;
  const address = tryParseIp(parts.host);
  return address === undefined ? undefined : { host: formatIp(address), port: parts.port };
}

/** Splits `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address. */
export function splitHostPort(
  text: string,
): { host: string; port: number | undefined } | undefined {
  // An IPv6 address has two colons at least, and is looked for last: that takes longest.
  const match =
    /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text) ??
    /^([^:\s]+)(?::(\d{1,5}))?$/.exec(text) ??
    (tryParseIp(text)?.family === 6 ? [text, text, undefined] : null);
  const host = match?.[1];
  if (match === null || host === undefined) return undefined;
  const port = match[2] === undefined ? undefined : Number(match[2]);
  return port !== undefined && port > 65535 ? undefined : { host, port };
}

/** Like {@link tryParseEndpoint}. @throws WeaveError `ENDPOINT_FORMAT` */
export function parseEndpoint(text: string): Endpoint {
  const endpoint = tryParseEndpoint(text);
  if (endpoint === undefined) {
    throw new WeaveError("ENDPOINT_FORMAT", `invalid address "${text}", should be ip:port`);
  }
  return endpoint;
}
