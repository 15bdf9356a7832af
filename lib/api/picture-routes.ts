import type { Hono } from "hono";
import { WeaveError } from "../base/errors.ts";
import type { ToldSummary } from "../links/told-links.ts";
import { answerJson } from "./answers.ts";
import { makePicture } from "./make-picture.ts";
import type { PictureLog } from "./picture-log.ts";
import type { Picture } from "./picture-models.ts";
import { addRoutes } from "./route-spec.ts";
import type { RouterControl } from "./router-control.ts";
import { pageTable, pictureTable } from "./table/picture-table.ts";

/** What of a router a picture is made of. */
type PicturedRouter = Pick<RouterControl, "report" | "containers" | "policy" | "links">;

/** Adds `/picture`. */
export function pictureRoute(app: Hono, router: PicturedRouter): void {
  addRoutes(app, pictureTable, {
    picture: (context) =>
      answerJson(context, async () => {
        const told = await toldLinks(router, context.req.query("links") ?? "told");
        return pictureOf(router, told);
      }),
  });
}

/**
 * Adds `/picture/changes`, which tells a page what has changed since the version that it names in
 * `since`: {@link PictureNews}.
 */
export function pictureChangesRoute(app: Hono, router: PicturedRouter, log: PictureLog): void {
  app.get("/picture/changes", async (context) => {
    const picture = await pictureOf(router, await toldLinks(router, "told"));
    const news = log.news(picture, context.req.query("since") ?? "");
    return context.body(news, 200, { "Content-Type": "application/json" });
  });
}

async function pictureOf(router: PicturedRouter, told: readonly ToldSummary[]): Promise<Picture> {
  const report = await router.report();
  const here = await router.containers.list([]);
  return makePicture(report, here, router.policy.containers(), told);
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
