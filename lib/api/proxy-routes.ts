import type { Hono } from "hono";
import { refuse, text } from "./answers.ts";
import { addRoutes } from "./route-spec.ts";
import type { RouterControl } from "./router-control.ts";
import { proxyTable } from "./table/proxy-table.ts";

/** Adds `/proxyaddrs`, which for clients of the original does not exist where there is no proxy. */
export function proxyRoutes(app: Hono, router: Pick<RouterControl, "report">): void {
  addRoutes(app, proxyTable, {
    async proxyAddresses(context) {
      const addresses = (await router.report()).Proxy?.Addresses ?? [];
      if (addresses.length === 0) return refuse(context, 404, "404 page not found");
      return text(context, addresses.map((address) => `${address}\n`).join(""));
    },
  });
}
