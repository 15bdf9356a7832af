import type { Context, Hono } from "hono";
import type { BlankEnv } from "hono/types";
import { splitHostPort } from "../base/endpoint.ts";
import { parseIp } from "../base/ip.ts";
import { nameRecord } from "../dns/name-report.ts";
import { acceptsJson, refuseError, text } from "./answers.ts";
import { goJson } from "./go-json.ts";
import { Parameters } from "./parameters.ts";
import { addRoutes } from "./route-spec.ts";
import type { ContainerControl, NameRegistry } from "./router-control.ts";
import { nameTable } from "./table/name-table.ts";

export interface DnsService {
  readonly names: NameRegistry;
  /** `host:port` at which containers ask; it may change while the router runs. */
  readonly listenAddress: string;
}

/** Adds `/domain`, `/dns-address…` and `/name…` (http-api §3.3); they do not exist without DNS. */
export function dnsRoutes(
  app: Hono,
  service: DnsService,
  containers: Pick<ContainerControl, "isAlive">,
): void {
  const { names } = service;
  addRoutes(app, nameTable, {
    domain: (context) => text(context, names.domain),
    dnsAddress: (context) =>
      text(context, splitHostPort(service.listenAddress)?.host ?? service.listenAddress),
    dnsAddressAndPort: (context) => text(context, service.listenAddress),
    addName: (context) => add(context, names, containers),
    removeName: (context) => remove(context, names),
    removeNamesOf: (context) => remove(context, names),
    removeAllNames: (context) => remove(context, names),
    listNames: (context) =>
      acceptsJson(context)
        ? text(context, `${goJson(names.entries().map(nameRecord))}\n`)
        : context.body(null, 405),
  });
}

type NameContext = Context<BlankEnv, typeof nameTable.addName.path>;

async function add(
  context: NameContext,
  names: NameRegistry,
  containers: Pick<ContainerControl, "isAlive">,
): Promise<Response> {
  const parameters = await Parameters.of(context);
  const [fqdn, ident] = [parameters.one("fqdn"), context.req.param("id")];
  try {
    const address = parseIp(context.req.param("ip"));
    // A container that is gone leaves nothing behind, and nobody who could be told.
    const isGone = parameters.isTrue("check-alive") && !(await containers.isAlive(ident));
    if (isGone) names.remove({ fqdn, ident, address });
    else names.add(fqdn, ident, address);
    return context.body(null, 204);
  } catch (error) {
    return refuseError(context, error);
  }
}

/** Reads a form body too: the original did not, and deleted more than was asked for. */
async function remove(context: Context, names: NameRegistry): Promise<Response> {
  const fqdn = (await Parameters.of(context)).one("fqdn");
  const ident = context.req.param("id");
  const ip = context.req.param("ip");
  try {
    names.remove({
      ...(fqdn === "" ? {} : { fqdn }),
      ...(ident === undefined ? {} : { ident }),
      ...(ip === undefined ? {} : { address: parseIp(ip) }),
    });
    return context.body(null, 204);
  } catch (error) {
    return refuseError(context, error);
  }
}
