import * as v from "valibot";
import { bundleModel, bundleSchemaId } from "../../incident/bundle.ts";
import { jsonSchema } from "../json-schema.ts";
import type { RouteTable } from "../route-spec.ts";

const document = v.object({ schema: v.literal(bundleSchemaId), ...bundleModel.entries });

export const incidentTable = {
  bundle: {
    method: "get",
    path: "/report/bundle",
    summary: "tell all that explains an incident, without secrets",
    parameters: [
      {
        name: "redact",
        meaning: "`addresses` or `names`: replaced by pseudonyms",
        isRepeatable: true,
      },
    ],
    answer:
      "one document with the report, events, what came and went between peers, findings, metrics and facts of the host, as in a file of `weave report --bundle`; its member `schema` is `weave/incident/1`. See simulator.md",
    success: { status: 200, json: jsonSchema(document) },
    fails: [400, 500],
  },
} as const satisfies RouteTable;
