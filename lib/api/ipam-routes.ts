import type { Context, Hono } from "hono";
import { errorCode, errorText } from "../base/errors.ts";
import { formatIpv4Cidr, type Ipv4Cidr, parseIpv4, parseIpv4Cidr } from "../base/ip.ts";
import type { Allocator } from "../ipam/allocator.ts";
import { parseSubnet } from "../ipam/range.ts";
import { refuse, refuseError, text } from "./answers.ts";
import { Parameters } from "./parameters.ts";

/** What the routes of http-api §3.2 ask of the allocator. */
export type IpamService = Pick<
  Allocator,
  "allocate" | "claim" | "lookup" | "list" | "free" | "delete" | "prime"
>;

/** Adds `/ip…`, `/ring` and `/ipinfo…`. They do not exist when address allocation is off. */
export function ipamRoutes(app: Hono, ipam: IpamService, defaultSubnet: Ipv4Cidr): void {
  app.get("/ipinfo/defaultsubnet", (context) => text(context, formatIpv4Cidr(defaultSubnet)));
  app.get("/ipinfo/tracker", (context) => text(context, "\n"));
  app.get("/ring", (context) => answerPrime(context, ipam));
  app.get("/ip", (context) => listAll(context, ipam));

  app.post("/ip/:id", (context) => allocate(context, ipam, () => defaultSubnet));
  app.post("/ip/:id/:net/:length", (context) =>
    allocate(context, ipam, () => parseSubnet(cidrText(context, "net"))),
  );
  app.get("/ip/:id", (context) => lookup(context, ipam, () => defaultSubnet));
  app.get("/ip/:id/:net/:length", (context) =>
    lookup(context, ipam, () => parseSubnet(cidrText(context, "net"))),
  );
  app.put("/ip/:id/:ip/:length", (context) => claim(context, ipam));
  app.delete("/ip/:id/:ip", (context) =>
    release(context, "Unable to free: ", () =>
      ipam.free(context.req.param("id"), parseIpv4(context.req.param("ip"))),
    ),
  );
  app.delete("/ip/:id", (context) =>
    release(context, "", () => ipam.delete(context.req.param("id"))),
  );
}

function cidrText(context: Context, name: string): string {
  return `${context.req.param(name)}/${context.req.param("length")}`;
}

/**
 * The original answers 200 `cancelled` for a request whose container died or whose client went.
 * Scripts know the body; the header tells it from an address.
 */
function cancelled(context: Context): Response {
  context.header("X-Weave-Cancelled", "true");
  return text(context, "cancelled");
}

async function allocate(
  context: Context,
  ipam: IpamService,
  subnetOf: () => Ipv4Cidr,
): Promise<Response> {
  const parameters = await Parameters.of(context);
  try {
    const address = await ipam.allocate(context.req.param("id") ?? "", subnetOf(), {
      isContainer: parameters.isTrue("check-alive"),
      signal: context.req.raw.signal,
    });
    return text(context, formatIpv4Cidr(address));
  } catch (error) {
    return errorCode(error) === "IPAM_CANCELLED" ? cancelled(context) : refuseError(context, error);
  }
}

async function claim(context: Context, ipam: IpamService): Promise<Response> {
  const parameters = await Parameters.of(context);
  let cidr: Ipv4Cidr;
  try {
    cidr = parseIpv4Cidr(cidrText(context, "ip"));
  } catch (error) {
    return refuseError(context, error);
  }
  try {
    await ipam.claim(context.req.param("id") ?? "", cidr, {
      isContainer: parameters.isTrue("check-alive"),
      noErrorOnUnknown: parameters.isTrue("noErrorOnUnknown"),
      signal: context.req.raw.signal,
    });
    return context.body(null, 204);
  } catch (error) {
    if (errorCode(error) === "IPAM_CANCELLED") return cancelled(context);
    return refuse(context, 400, `Unable to claim: ${errorText(error)}`);
  }
}

function lookup(context: Context, ipam: IpamService, subnetOf: () => Ipv4Cidr): Response {
  try {
    const held = ipam.lookup(context.req.param("id") ?? "", subnetOf());
    return text(context, held.map(formatIpv4Cidr).join(" "));
  } catch (error) {
    return refuseError(context, error);
  }
}

function release(context: Context, lead: string, action: () => void): Response {
  try {
    action();
    return context.body(null, 204);
  } catch (error) {
    const isParseError = errorCode(error) === "IP_FORMAT";
    return refuse(context, 400, `${isParseError ? "" : lead}${errorText(error)}`);
  }
}

async function answerPrime(context: Context, ipam: IpamService): Promise<Response> {
  try {
    await ipam.prime(context.req.raw.signal);
  } catch (error) {
    if (errorCode(error) !== "IPAM_CANCELLED") return refuseError(context, error);
  }
  return text(context, "");
}

function listAll(context: Context, ipam: IpamService): Response {
  const owned = ipam
    .list()
    .map(({ ident, cidrs }) => ({ containerid: ident, addrs: cidrs.map(formatIpv4Cidr) }));
  const body = JSON.stringify({ owned: owned.length === 0 ? null : owned });
  return context.body(`${body}\n`, 200, { "Content-Type": "application/json" });
}
