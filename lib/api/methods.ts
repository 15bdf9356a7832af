import type { Hono } from "hono";

/**
 * Gives every path that has a handler the original's answer to other methods (405 without a body),
 * and all other paths its 404. Call it after the last route was added.
 */
export function answerOtherMethods(app: Hono): void {
  const paths = new Set(app.routes.filter((route) => route.method !== "ALL").map((r) => r.path));
  for (const path of paths) app.all(path, (context) => context.body(null, 405));
  app.notFound((context) =>
    context.body("404 page not found\n", 404, {
      "Content-Type": "text/plain; charset=utf-8",
      "X-Content-Type-Options": "nosniff",
    }),
  );
}
