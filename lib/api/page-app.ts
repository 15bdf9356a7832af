import { timingSafeEqual } from "node:crypto";
import { Hono, type MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
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

const tokenCookie = "weave-page";

/**
 * What browsers get of a router: the page, and what it shows. Nothing here changes anything.
 *
 *   GET /?token=…  ─ the right one ─▶ a cookie, and the page without the token in its address
 *   everything else: 403 without the cookie, from another site, or under another host's name
 */
export function pageApp(router: ShownRouter, page: Page, parts: PageOptions): Hono {
  const { token, pictures, log } = parts;
  const app = new Hono();
  app.use(ofThisHost, safely(page), withToken(token));
  app.onError((error, context) => {
    log.debug(`[page] ${error.message}`);
    return refuseError(context, error);
  });
  app.get("/", (context) => context.html(page.html));
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
  // The link may be followed from anywhere: it is the token in it that counts.
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

function withToken(token: string): MiddlewareHandler {
  return async (context, next) => {
    const given = context.req.query("token");
    if (given !== undefined && context.req.path === "/") {
      if (!isSame(given, token)) {
        deleteCookie(context, tokenCookie);
        return refuse(context, 403, "this link is of an earlier run: 'weave ui' prints another");
      }
      setCookie(context, tokenCookie, token, { httpOnly: true, sameSite: "Strict", path: "/" });
      // A redirect would lose a strict cookie when the link was followed from another page.
      return context.html('<meta http-equiv="refresh" content="0;url=/">');
    }
    if (!isSame(getCookie(context, tokenCookie) ?? "", token)) {
      return refuse(context, 403, "'weave ui' prints a link that lets you in");
    }
    return next();
  };
}

/** Takes as long wherever they differ. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [utf8(given), utf8(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
