import type { Hono } from "hono";
import { WeaveError } from "../base/errors.ts";
import type { ToldSummary } from "../links/told-links.ts";
import { answerJson } from "./answers.ts";
import { makePicture } from "./make-picture.ts";
import { addRoutes } from "./route-spec.ts";
import type { RouterControl } from "./router-control.ts";
import { pageTable, pictureTable } from "./table/picture-table.ts";

/** Adds `/picture`. */
export function pictureRoute(
  app: Hono,
  router: Pick<RouterControl, "report" | "containers" | "policy" | "links">,
): void {
  addRoutes(app, pictureTable, {
    picture: (context) =>
      answerJson(context, async () => {
        const told = await toldLinks(router, context.req.query("links") ?? "told");
        const report = await router.report();
        const here = await router.containers.list([]);
        return makePicture(report, here, router.policy.containers(), told);
      }),
  });
}

async function toldLinks(
  { links }: Pick<RouterControl, "links">,
  wanted: string,
): Promise<readonly ToldSummary[]> {
  if (wanted === "awaited") await links?.lookOnce();
  else if (wanted === "told") links?.look();
  else if (wanted !== "own")
    throw new WeaveError("QUERY_INVALID", `no links are "${wanted}"`, {
      remedy: "ask for those that are told, awaited or own",
    });
  return wanted === "own" ? [] : (links?.told() ?? []);
}

/** Adds `/ui`. */
export function pageRoute(app: Hono, { page }: Pick<RouterControl, "page">): void {
  addRoutes(app, pageTable, {
    openPage: (context) => answerJson(context, () => page.open()),
  });
}
