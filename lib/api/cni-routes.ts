import type { Hono } from "hono";
import { answerBody } from "./body-answer.ts";
import { cniAddBody, cniCheckBody, cniCollectBody, cniRemoveBody } from "./cni-models.ts";
import { addRoutes } from "./route-spec.ts";
import type { CniControl } from "./router-control.ts";
import { cniTable } from "./table/cni-table.ts";

/** What the CNI plugin asks of the router: whole operations on a runtime's interfaces. */
export function cniRoutes(app: Hono, cni: CniControl): void {
  addRoutes(app, cniTable, {
    cniAdd: (context) =>
      answerBody(context, cniAddBody, (body) => cni.add(body, context.req.raw.signal)),
    cniRemove: (context) =>
      answerBody(context, cniRemoveBody, async (body) => {
        await cni.remove(body);
        return {};
      }),
    cniCheck: (context) => answerBody(context, cniCheckBody, (body) => cni.check(body)),
    cniCollect: (context) => answerBody(context, cniCollectBody, (body) => cni.collect(body)),
  });
}
