import {
  cniAddBody,
  cniCheckAnswer,
  cniCheckBody,
  cniCollectAnswer,
  cniCollectBody,
  cniInterfaceAnswer,
  cniRemoveAnswer,
  cniRemoveBody,
} from "../cni-models.ts";
import { jsonSchema } from "../json-schema.ts";
import type { RouteTable } from "../route-spec.ts";

/** What the CNI plugin asks for: `container` is a runtime's id, `interface` the name inside. */
export const cniTable = {
  cniAdd: {
    method: "post",
    path: "/cni/add",
    summary: "give a runtime's container an interface",
    body: jsonSchema(cniAddBody),
    answer:
      "`bridge`, `port` and `guest` (`name`, `mac` each), `mtu`, `cidr`, `gateway` if there is one, `routes`. The same again for who has it already; on failure nothing is left",
    success: { status: 200, json: jsonSchema(cniInterfaceAnswer) },
    fails: [400, 404, 409, 500, 503],
  },
  cniRemove: {
    method: "post",
    path: "/cni/remove",
    summary: "take a runtime's interface away",
    body: jsonSchema(cniRemoveBody),
    answer: "`{}`: there is none any more, and with `frees` its address is free",
    success: { status: 200, json: jsonSchema(cniRemoveAnswer) },
    fails: [400, 500],
  },
  cniCheck: {
    method: "post",
    path: "/cni/check",
    summary: "look whether a runtime's interface is as it was made",
    body: jsonSchema(cniCheckBody),
    answer: "`wrong`: a sentence for each thing that is not",
    success: { status: 200, json: jsonSchema(cniCheckAnswer) },
    fails: [400, 500],
  },
  cniCollect: {
    method: "post",
    path: "/cni/collect",
    summary: "remove a network's interfaces that its runtime has forgotten",
    body: jsonSchema(cniCollectBody),
    answer: "`removed`: those of `network` that were not among `valid`",
    success: { status: 200, json: jsonSchema(cniCollectAnswer) },
    fails: [400, 500],
  },
} as const satisfies RouteTable;
