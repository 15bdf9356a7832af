import * as v from "valibot";
import { jsonSchema, told } from "../json-schema.ts";
import { pictureModel } from "../picture-models.ts";
import type { RouteTable } from "../route-spec.ts";

/** Where the page is to be had. */
export const pageAnswer = v.object({
  url: told(v.string(), "with the token that lets in; whoever has it sees what the page shows"),
});

export const pictureTable = {
  picture: {
    method: "get",
    path: "/picture",
    summary: "show the cluster at a glance",
    parameters: [
      {
        name: "links",
        meaning:
          "what of other hosts' links: `told` (default), as they tell of them from now on for some time; `awaited`, told once more, which takes up to a second; `own`, nothing, and they are not asked",
      },
    ],
    answer:
      "peers, the links between them, containers and who owns which addresses, as this host knows them. Hosts that have not told of their containers are asked to, and not waited for",
    success: { status: 200, json: jsonSchema(pictureModel) },
    fails: [400],
  },
} as const satisfies RouteTable;

export const pageTable = {
  openPage: {
    method: "post",
    path: "/ui",
    summary: "open the page",
    answer:
      "where the page is, on an address of this host that only this host reaches; it stays until the router stops",
    success: { status: 200, json: jsonSchema(pageAnswer) },
    fails: [500],
  },
} as const satisfies RouteTable;
