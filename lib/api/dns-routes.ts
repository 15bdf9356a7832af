import type { Context, Hono } from "hono";
import { type IpAddress, parseIp } from "../base/ip.ts";
import { nameRecord } from "../dns/name-report.ts";
import type { NameTable } from "../dns/name-table.ts";
import { refuseError, text } from "./answers.ts";
import { Parameters } from "./parameters.ts";

export interface DnsService {
  readonly names: Pick<NameTable, "domain" | "add" | "remove" | "entries">;
  /** `host:port` of the server. */
  readonly listenAddress: string;
}

/** Adds `/domain`, `/dns-address…` and `/name…` (http-api §3.3); they do not exist without DNS. */
export function dnsRoutes(app: Hono, { names, listenAddress }: DnsService): void {
  app.get("/domain", (context) => text(context, names.domain.name));
  app.get("/dns-address", (context) =>
    text(context, listenAddress.slice(0, listenAddress.lastIndexOf(":"))),
  );
  app.get("/dns-address-port", (context) => text(context, listenAddress));

  app.put("/name/:id/:ip", async (context) => {
    const parameters = await Parameters.of(context);
    return withAddress(context, (address) => {
      try {
        names.add(parameters.one("fqdn"), context.req.param("id"), address);
        return context.body(null, 204);
      } catch (error) {
        return refuseError(context, error);
      }
    });
  });

  app.delete("/name/:id/:ip", (context) =>
    withAddress(context, (address) => remove(context, names, address)),
  );
  app.delete("/name/:id", (context) => remove(context, names, undefined));
  app.delete("/name", (context) => remove(context, names, undefined));

  app.get("/name", (context) => {
    if (!/\bapplication\/json\b/.test(context.req.header("Accept") ?? "")) {
      return context.body(null, 405);
    }
    return text(context, `${JSON.stringify(names.entries().map(nameRecord))}\n`);
  });
}

function withAddress(
  context: Context,
  action: (address: IpAddress) => Response | Promise<Response>,
) {
  let address: IpAddress;
  try {
    address = parseIp(context.req.param("ip") ?? "");
  } catch (error) {
    return refuseError(context, error);
  }
  return action(address);
}

/** Reads a form body too: the original did not, and deleted more than was asked for. */
async function remove(
  context: Context,
  names: DnsService["names"],
  address: IpAddress | undefined,
): Promise<Response> {
  const fqdn = (await Parameters.of(context)).one("fqdn");
  const ident = context.req.param("id");
  names.remove({
    ...(fqdn === "" ? {} : { name: fqdn }),
    ...(ident === undefined ? {} : { ident }),
    ...(address === undefined ? {} : { address }),
  });
  return context.body(null, 204);
}
