import { Hono, type MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { type Log, silentLog } from "../base/world.ts";
import { refuseError } from "./answers.ts";
import { cniRoutes } from "./cni-routes.ts";
import { containerRoutes } from "./container-routes.ts";
import { diagnosisRoutes } from "./diagnosis-routes.ts";
import { dnsRoutes } from "./dns-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { incidentRoutes } from "./incident-routes.ts";
import { ipamRoutes } from "./ipam-routes.ts";
import { meshRoutes } from "./mesh-routes.ts";
import { answerOtherMethods, refuseHead } from "./methods.ts";
import { pageRoute, pictureRoute } from "./picture-routes.ts";
import { pluginRoutes } from "./plugin-routes.ts";
import { policyRoutes } from "./policy-routes.ts";
import { proxyRoutes } from "./proxy-routes.ts";
import type { RouterControl } from "./router-control.ts";
import { descriptionRoute, metricsRoute, statusRoutes } from "./status-routes.ts";

/** A request as those see it who measure requests, or note for whom something is done. */
export interface ObservedRequest {
  readonly method: string;
  /** As its table has it, `/ip/:id`; empty for one that is in none. */
  readonly route: string;
  readonly headers: Headers;
  /** Of the answer, once there is one. */
  status(): number;
}

/** What goes on around each answer. */
export type Around = (request: ObservedRequest, answer: () => Promise<void>) => Promise<void>;

/** The control API (http-api §1, first row). */
export function controlApp(
  router: RouterControl,
  log: Log = silentLog,
  around: Around = (_, answer) => answer(),
): Hono {
  return application(log, (app) => {
    app.use(observed(around));
    statusRoutes(app, router);
    metricsRoute(app, router);
    descriptionRoute(app);
    meshRoutes(app, router);
    containerRoutes(app, router.containers);
    cniRoutes(app, router.cni);
    diagnosisRoutes(app, router.diagnosis);
    policyRoutes(app, router.policy);
    eventRoutes(app, router.events);
    incidentRoutes(app, router.incident);
    pictureRoute(app, router);
    pageRoute(app, router);
    if (router.ipam !== undefined) ipamRoutes(app, router.ipam, router.containers);
    proxyRoutes(app, router);
    if (router.plugin !== undefined) pluginRoutes(app, router.plugin);
    if (router.dns !== undefined) dnsRoutes(app, router.dns, router.containers);
  });
}

/** The read-only address for people and monitoring (http-api §1, second row). */
export function statusApp(router: RouterControl, log: Log = silentLog): Hono {
  return application(log, (app) => {
    statusRoutes(app, router);
    metricsRoute(app, router);
  });
}

/** The address for monitoring alone (http-api §1, third row), of a router or one service of it. */
export function metricsApp(
  source: Pick<RouterControl, "measurements">,
  log: Log = silentLog,
): Hono {
  return application(log, (app) => metricsRoute(app, source));
}

function application(log: Log, addRoutes: (app: Hono) => void): Hono {
  const app = new Hono();
  app.use(logRequest(log), cleanPath, refuseHead);
  app.onError((error, context) => refuseError(context, error));
  addRoutes(app);
  answerOtherMethods(app);
  return app;
}

function observed(around: Around): MiddlewareHandler {
  return (context, next) => {
    const { method, raw } = context.req;
    // Those for all methods are what every request passes, as this one.
    const route = matchedRoutes(context).find(({ method }) => method !== "ALL")?.path ?? "";
    return around({ method, route, headers: raw.headers, status: () => context.res.status }, next);
  };
}

function logRequest(log: Log): MiddlewareHandler {
  return (context, next) => {
    const { pathname, search } = new URL(context.req.url);
    log.debug(`[http] ${context.req.method} ${pathname}${search}`);
    return next();
  };
}

/** Doubled slashes are answered by a redirect to the clean path, as Go's server does. */
const cleanPath: MiddlewareHandler = async (context, next) => {
  const { pathname, search } = new URL(context.req.url);
  const clean = pathname.replace(/\/{2,}/g, "/");
  if (clean === pathname) return next();
  return context.redirect(clean + search, 301);
};
