import type { Hono } from "hono";
import { answerJson } from "./answers.ts";
import { addRoutes } from "./route-spec.ts";
import type { PluginControl } from "./router-control.ts";
import { pluginTable } from "./table/plugin-table.ts";

/** Adds `/plugin/network`. It does not exist when the router is no plugin of Docker. */
export function pluginRoutes(app: Hono, plugin: PluginControl): void {
  addRoutes(app, pluginTable, {
    retireNetwork: (context) => answerJson(context, () => plugin.retire()),
  });
}
