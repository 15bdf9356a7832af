import { Hono, type MiddlewareHandler } from "hono";
import { type Log, silentLog } from "../base/world.ts";
import { refuseError } from "./answers.ts";
import { cniRoutes } from "./cni-routes.ts";
import { containerRoutes } from "./container-routes.ts";
import { diagnosisRoutes } from "./diagnosis-routes.ts";
import { dnsRoutes } from "./dns-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { ipamRoutes } from "./ipam-routes.ts";
import { meshRoutes } from "./mesh-routes.ts";
import { answerOtherMethods, refuseHead } from "./methods.ts";
import { pageRoute, pictureRoute } from "./picture-routes.ts";
import { pluginRoutes } from "./plugin-routes.ts";
import { policyRoutes } from "./policy-routes.ts";
import { prometheusText } from "./prometheus-text.ts";
import { proxyRoutes } from "./proxy-routes.ts";
import type { Gauge, RouterControl } from "./router-control.ts";
import { descriptionRoute, gaugesRoute, metricsRoute, statusRoutes } from "./status-routes.ts";

/** The control API (http-api §1, first row). */
export function controlApp(router: RouterControl, log: Log = silentLog): Hono {
  return application(log, (app) => {
    statusRoutes(app, router);
    metricsRoute(app, router);
    descriptionRoute(app);
    meshRoutes(app, router);
    containerRoutes(app, router.containers);
    cniRoutes(app, router.cni);
    diagnosisRoutes(app, router.diagnosis);
    policyRoutes(app, router.policy);
    eventRoutes(app, router.events);
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

/** The address for monitoring alone (http-api §1, third row). */
export function metricsApp(router: RouterControl, log: Log = silentLog): Hono {
  return application(log, (app) => metricsRoute(app, router));
}

/** An address for monitoring one service of a router. */
export function serviceMetricsApp(gauges: () => readonly Gauge[], log: Log = silentLog): Hono {
  return application(log, (app) => gaugesRoute(app, async () => prometheusText(gauges())));
}

function application(log: Log, addRoutes: (app: Hono) => void): Hono {
  const app = new Hono();
  app.use(logRequest(log), cleanPath, refuseHead);
  app.onError((error, context) => refuseError(context, error));
  addRoutes(app);
  answerOtherMethods(app);
  return app;
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
