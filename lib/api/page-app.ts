import { timingSafeEqual } from "node:crypto";
import { Hono, type MiddlewareHandler } from "hono";
import { utf8 } from "../base/bytes.ts";
import type { Log } from "../base/world.ts";
import { refuse, refuseError } from "./answers.ts";
import { diagnosisRoutes } from "./diagnosis-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { isOwnHost } from "./guard.ts";
import type { PictureLog } from "./picture-log.ts";
import { pictureChangesRoute, pictureRoute } from "./picture-routes.ts";
import { policyLookRoutes } from "./policy-routes.ts";
import type { RouterControl } from "./router-control.ts";

/** The page as one document, and what may run in it. */
export interface Page {
  readonly html: string;
  /** Of its one script and its one style sheet, as a content security policy names them. */
  readonly scriptHash: string;
  readonly styleHash: string;
}

/** What of a router the page shows. */
export type ShownRouter = Pick<
  RouterControl,
  "report" | "containers" | "diagnosis" | "policy" | "links" | "events"
>;

export interface PageOptions {
  /** Lets in who has it. */
  readonly token: string;
  readonly pictures: PictureLog;
  readonly log: Log;
}

/**
 * What browsers get of a router: the page, and what it shows. Nothing here changes anything.
 *
 *   GET /            the page, which has nothing of the network in it
 *   everything else  403 without `Authorization: Bearer <token>`
 *   all              403 from another site's page, or under another host's name
 */
export function pageApp(router: ShownRouter, page: Page, parts: PageOptions): Hono {
  const { token, pictures, log } = parts;
  const app = new Hono();
  app.use(ofThisHost, safely(page));
  app.onError((error, context) => {
    log.debug(`[page] ${error.message}`);
    return refuseError(context, error);
  });
  app.get("/", (context) => context.html(page.html));
  app.use(withToken(token));
  pictureRoute(app, router);
  pictureChangesRoute(app, router, pictures);
  diagnosisRoutes(app, router.diagnosis);
  policyLookRoutes(app, router.policy);
  eventRoutes(app, router.events);
  return app;
}

/** No other site's page, and no name that a stranger's DNS server answers for (DNS rebinding). */
const ofThisHost: MiddlewareHandler = async (context, next) => {
  const site = context.req.header("Sec-Fetch-Site") ?? "none";
  const host = context.req.header("Host") ?? "";
  const origin = context.req.header("Origin");
  const isOwn = isOwnHost(host) && (origin === undefined || origin === `http://${host}`);
  // The link may be followed from anywhere: it is the token that counts.
  const isLink = context.req.path === "/" && context.req.method === "GET";
  if (!isOwn || !(isLink || ["none", "same-origin"].includes(site))) {
    return refuse(context, 403, "requests from other pages are refused");
  }
  return next();
};

/** Nothing is loaded from anywhere else, and nothing runs but the page's own script. */
function safely({ scriptHash, styleHash }: Page): MiddlewareHandler {
  const policy = [
    "default-src 'none'",
    `script-src '${scriptHash}'`,
    `style-src '${styleHash}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return async (context, next) => {
    await next();
    context.res.headers.set("Content-Security-Policy", policy);
    context.res.headers.set("Referrer-Policy", "no-referrer");
    context.res.headers.set("X-Content-Type-Options", "nosniff");
    context.res.headers.set("Cache-Control", "no-store");
  };
}

/** The page's script puts it there: a browser adds it to nothing by itself, as it does with cookies. */
function withToken(token: string): MiddlewareHandler {
  return async (context, next) => {
    const given = context.req.header("Authorization") ?? "";
    if (isSame(given, `Bearer ${token}`)) return next();
    const reason = given === "" ? "this tab has no link" : "this link is of an earlier run";
    return refuse(context, 403, `${reason}: 'weave ui' prints one that lets you in`);
  };
}

/** Takes as long wherever they differ. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [utf8(given), utf8(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
