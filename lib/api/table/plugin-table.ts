import * as v from "valibot";
import { jsonSchema, told } from "../json-schema.ts";
import type { RouteTable } from "../route-spec.ts";

const retiredModel = v.object({
  network: told(v.string(), "what Docker calls the network"),
  containers: told(
    v.array(v.object({ id: v.string(), name: v.string() })),
    "those connected to it, for which it stays",
  ),
});

/** Networks that Docker has of the router. These routes do not exist when it is no plugin. */
export const pluginTable = {
  retireNetwork: {
    method: "delete",
    path: "/plugin/network",
    summary: "take the default network out of Docker",
    answer:
      "`network`, and the `containers` (`id`, `name`) that are still connected to it: with any of them it stays. The last act before a stop",
    success: { status: 200, json: jsonSchema(retiredModel) },
    fails: [503],
  },
} as const satisfies RouteTable;
