import { Hono, type MiddlewareHandler } from "hono";
import { errorText } from "../base/errors.ts";
import { refuse } from "./answers.ts";
import { containerRoutes } from "./container-routes.ts";
import { dnsRoutes } from "./dns-routes.ts";
import { ipamRoutes } from "./ipam-routes.ts";
import { meshRoutes } from "./mesh-routes.ts";
import { answerOtherMethods } from "./methods.ts";
import type { RouterControl } from "./router-control.ts";
import { statusRoutes } from "./status-routes.ts";

/** The control API (http-api §1, first row). */
export function controlApp(router: RouterControl): Hono {
  const app = baseApp();
  statusRoutes(app, router);
  meshRoutes(app, router);
  containerRoutes(app, router.containers);
  if (router.ipam !== undefined) {
    ipamRoutes(app, router.ipam.allocator, router.ipam.defaultSubnet);
  }
  if (router.dns !== undefined) dnsRoutes(app, router.dns);
  answerOtherMethods(app);
  return app;
}

/** The read-only address for monitoring (http-api §1, second row). */
export function statusApp(router: RouterControl): Hono {
  const app = baseApp();
  statusRoutes(app, router);
  answerOtherMethods(app);
  return app;
}

function baseApp(): Hono {
  const app = new Hono();
  app.use(cleanPath);
  app.onError((error, context) => refuse(context, 500, errorText(error)));
  return app;
}

/** Doubled slashes are answered by a redirect to the clean path, as Go's server does. */
const cleanPath: MiddlewareHandler = async (context, next) => {
  const { pathname, search } = new URL(context.req.url);
  const clean = pathname.replace(/\/{2,}/g, "/");
  if (clean === pathname) return next();
  return context.redirect(clean + search, 301);
};
