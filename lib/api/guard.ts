import type { MiddlewareHandler } from "hono";
import { splitHostPort } from "../base/endpoint.ts";
import { tryParseIp } from "../base/ip.ts";
import { refuse } from "./answers.ts";

/**
 * Keeps browsers out of the control API. A page on the web can make a browser send requests to
 * 127.0.0.1, but not without an `Origin` header, and after DNS rebinding only with the name of the
 * page's own site as `Host`.
 */
export const refuseBrowsers: MiddlewareHandler = async (context, next) => {
  if (context.req.header("Origin") !== undefined) {
    return refuse(context, 403, "requests from web pages are refused");
  }
  const host = context.req.header("Host");
  if (host !== undefined && !isOwnHost(host)) {
    return refuse(
      context,
      403,
      `requests for host "${host}" are refused: use an IP address or localhost`,
    );
  }
  return next();
};

/** An address or `localhost`: no name that a stranger's DNS server could answer for. */
function isOwnHost(host: string): boolean {
  const name = splitHostPort(host)?.host;
  return name !== undefined && (name === "localhost" || tryParseIp(name) !== undefined);
}
