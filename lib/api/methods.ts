import type { Hono, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";

/**
 * The original answers each path under exactly the methods it names: HEAD is not GET, which matters
 * where GET does something. To be used before any route is added.
 */
export const refuseHead: MiddlewareHandler = async (context, next) => {
  if (context.req.method !== "HEAD") return next();
  const isKnown = matchedRoutes(context).some(({ path }) => path !== "/*");
  return isKnown ? context.body(null, 405) : context.notFound();
};

/**
 * Gives every path that has a handler the original's answer to other methods (405 without a body),
 * and all other paths its 404. Call it after the last route was added.
 */
export function answerOtherMethods(app: Hono): void {
  const methods = new Map<string, Set<string>>();
  const routes = app.routes.filter(({ method }) => method !== "ALL");
  for (const { path, method } of routes) {
    methods.set(path, (methods.get(path) ?? new Set()).add(method));
  }
  for (const [path, known] of methods) {
    const headers = { Allow: [...known].sort().join(", ") };
    app.all(path, (context) => context.body(null, 405, headers));
  }
  app.notFound((context) =>
    context.body("404 page not found\n", 404, {
      "Content-Type": "text/plain; charset=utf-8",
      "X-Content-Type-Options": "nosniff",
    }),
  );
}
