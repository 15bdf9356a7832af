import type { Hono } from "hono";
import { answerJson } from "./answers.ts";
import { makePicture } from "./make-picture.ts";
import { addRoutes } from "./route-spec.ts";
import type { RouterControl } from "./router-control.ts";
import { pageTable, pictureTable } from "./table/picture-table.ts";

/** Adds `/picture`. */
export function pictureRoute(
  app: Hono,
  router: Pick<RouterControl, "report" | "containers" | "policy">,
): void {
  addRoutes(app, pictureTable, {
    picture: (context) =>
      answerJson(context, async () =>
        makePicture(
          await router.report(),
          await router.containers.list([]),
          router.policy.containers(),
        ),
      ),
  });
}

/** Adds `/ui`. */
export function pageRoute(app: Hono, { page }: Pick<RouterControl, "page">): void {
  addRoutes(app, pageTable, {
    openPage: (context) => answerJson(context, () => page.open()),
  });
}
