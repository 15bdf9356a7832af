import type { Context, Hono } from "hono";
import { errorCode, WeaveError } from "../base/errors.ts";
import { formatIpv4Cidr, type Ipv4Cidr, parseIpv4, parseIpv4Cidr } from "../base/ip.ts";
import type { Allocator } from "../ipam/allocator.ts";
import { parseSubnet } from "../ipam/range.ts";
import { refuseError, text } from "./answers.ts";
import { goJson } from "./go-json.ts";
import { Parameters } from "./parameters.ts";
import { addRoutes } from "./route-spec.ts";
import type { ContainerControl } from "./router-control.ts";
import { addressTable } from "./table/address-table.ts";

/** What the routes of http-api §3.2 ask of the allocator. */
export interface IpamService {
  readonly allocator: Pick<
    Allocator,
    "allocate" | "claim" | "lookup" | "list" | "free" | "delete" | "prime"
  >;
  readonly defaultSubnet: Ipv4Cidr;
  /** Who goes by the ranges of this peer besides. */
  readonly tracker?: "no-masq-local";
}

type Liveness = Pick<ContainerControl, "isAlive">;

/** Adds `/ip…`, `/ring` and `/ipinfo…`. They do not exist when address allocation is off. */
export function ipamRoutes(app: Hono, ipam: IpamService, containers: Liveness): void {
  const { allocator, defaultSubnet, tracker = "" } = ipam;
  addRoutes(app, addressTable, {
    defaultSubnet: (context) => text(context, formatIpv4Cidr(defaultSubnet)),
    tracker: (context) => text(context, `${tracker}\n`),
    prime: (context) => prime(context, ipam),
    listAddresses: (context) => listAll(context, ipam),
    allocate: (context) => allocate(context, ipam, containers),
    allocateInSubnet: (context) => allocate(context, ipam, containers),
    lookup: (context) => lookup(context, ipam),
    lookupInSubnet: (context) => lookup(context, ipam),
    claim: (context) => claim(context, ipam, containers),
    free: (context) =>
      release(context, "Unable to free: ", () =>
        allocator.free(ident(context), parseIpv4(context.req.param("ip"))),
      ),
    freeAll: (context) => release(context, "", () => allocator.delete(ident(context))),
  });
}

function ident(context: Context): string {
  return context.req.param("id") ?? "";
}

/** @throws WeaveError when the path names a subnet that is none */
function subnetOf(context: Context, defaultSubnet: Ipv4Cidr): Ipv4Cidr {
  const ip = context.req.param("ip");
  return ip === undefined ? defaultSubnet : parseSubnet(`${ip}/${context.req.param("length")}`);
}

async function allocate(
  context: Context,
  { allocator, defaultSubnet }: IpamService,
  containers: Liveness,
): Promise<Response> {
  const isContainer = (await Parameters.of(context)).isTrue("check-alive");
  try {
    const subnet = subnetOf(context, defaultSubnet);
    if (isContainer) await checkAlive(containers, ident(context));
    const { signal } = context.req.raw;
    const address = await allocator.allocate(ident(context), subnet, { isContainer, signal });
    return text(context, formatIpv4Cidr(address));
  } catch (error) {
    return refuseError(context, error);
  }
}

async function claim(
  context: Context,
  { allocator }: IpamService,
  containers: Liveness,
): Promise<Response> {
  const parameters = await Parameters.of(context);
  const isContainer = parameters.isTrue("check-alive");
  const noErrorOnUnknown = parameters.isTrue("noErrorOnUnknown");
  let cidr: Ipv4Cidr;
  try {
    cidr = parseIpv4Cidr(`${context.req.param("ip")}/${context.req.param("length")}`);
    if (isContainer) await checkAlive(containers, ident(context));
  } catch (error) {
    return refuseError(context, error);
  }
  try {
    const { signal } = context.req.raw;
    await allocator.claim(ident(context), cidr, { isContainer, noErrorOnUnknown, signal });
    return context.body(null, 204);
  } catch (error) {
    const isCancelled = errorCode(error) === "IPAM_CANCELLED";
    return refuseError(context, error, { lead: isCancelled ? "" : "Unable to claim: " });
  }
}

/**
 * The original says `cancelled` with 200, which clients take for an address or for a claim that
 * holds; the word is the same here, but no success.
 *
 * @throws WeaveError `CONTAINER_NOT_RUNNING`
 */
async function checkAlive(containers: Liveness, ident: string): Promise<void> {
  if (await containers.isAlive(ident)) return;
  throw new WeaveError("CONTAINER_NOT_RUNNING", `cancelled: container ${ident} not running`, {
    remedy: "start the container first",
  });
}

function lookup(context: Context, { allocator, defaultSubnet }: IpamService): Response {
  try {
    const held = allocator.lookup(ident(context), subnetOf(context, defaultSubnet));
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
    return refuseError(context, error, { lead: errorCode(error) === "IP_FORMAT" ? "" : lead });
  }
}

/** A router that leaves the cluster needs no ring any more: whoever waits for one is let go. */
async function prime(context: Context, { allocator }: IpamService): Promise<Response> {
  try {
    await allocator.prime(context.req.raw.signal);
  } catch (error) {
    if (errorCode(error) !== "IPAM_CANCELLED") return refuseError(context, error);
  }
  return text(context, "");
}

function listAll(context: Context, { allocator }: IpamService): Response {
  const owned = allocator
    .list()
    .map(({ ident, cidrs }) => ({ containerid: ident, addrs: cidrs.map(formatIpv4Cidr) }));
  const body = goJson({ owned: owned.length === 0 ? null : owned });
  return context.body(`${body}\n`, 200, { "Content-Type": "application/json" });
}
