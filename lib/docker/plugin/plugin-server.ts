import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Context, Hono } from "hono";
import { type Listener, listen } from "../../api/listen.ts";
import { errorCode, errorText, WeaveError } from "../../base/errors.ts";
import type { Log } from "../../base/world.ts";
import { askedBy } from "../../daemon/events/asked-by.ts";
import { noTracer, type Tracer } from "../../daemon/tracing/tracer.ts";
import { parseBody } from "./messages.ts";
import type { PluginMethods } from "./plugin-method.ts";

/**
 * The frame of Docker's plugin protocol: one JSON object each way.
 *
 *   POST /NetworkDriver.Join  {…}  ──▶  200 {…}
 *                                       500 {"Err":"…"}   what the method came to
 *                                       400 text          no JSON
 *                                       404 text          no such method
 */
const mediaType = "application/vnd.docker.plugins.v1.2+json";

/** Where a plugin tells of what it does. */
export interface PluginSurroundings {
  readonly log: Log;
  readonly tracer?: Tracer;
}

/**
 * A plugin on a unix socket, for root alone. The folder is made; a dead socket file is replaced.
 *
 * @param implemented what it says that it is: `NetworkDriver`, `IpamDriver`
 * @throws WeaveError `PLUGIN_LISTEN`
 */
export function servePlugin(
  path: string,
  implemented: readonly string[],
  methods: PluginMethods,
  surroundings: PluginSurroundings,
): Listener {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return listen(pluginApp(implemented, methods, surroundings), path);
  } catch (cause) {
    throw new WeaveError("PLUGIN_LISTEN", `cannot serve Docker at ${path}: ${errorText(cause)}`, {
      remedy: "see what is at that path; --plugin=false goes on without the plugin",
      cause,
    });
  }
}

/** The same as an application, for tests. */
export function pluginApp(
  implemented: readonly string[],
  methods: PluginMethods,
  { log, tracer = noTracer }: PluginSurroundings,
): Hono {
  const app = new Hono();
  app.post("/Plugin.Activate", (context) => answer(context, { Implements: implemented }));
  app.post("/:method", async (context) => {
    const name = context.req.param("method");
    const act = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (act === undefined) return context.notFound();
    try {
      const request = parseBody(await context.req.text());
      log.debug(`[plugin] ${name} ${JSON.stringify(request)}`);
      const { signal } = context.req.raw;
      const start = { name, kind: "server", attributes: { "weave.caller": "plugin" } } as const;
      const done = await tracer.trace(start, () =>
        askedBy({ kind: "plugin" }, () => act(request, signal)),
      );
      return answer(context, done);
    } catch (error) {
      return refuse(context, name, error, log);
    }
  });
  app.notFound((context) => context.text("no such method\n", 404));
  return app;
}

function refuse(context: Context, name: string, error: unknown, log: Log): Response {
  const text = refusalText(error);
  if (errorCode(error) === "PLUGIN_BODY") return context.text(`${text}\n`, 400);
  log.warn(`[plugin] ${name}: ${text}`);
  return answer(context, { Err: text }, 500);
}

/** Docker shows it to whoever started the container, so the way out is part of it. */
function refusalText(error: unknown): string {
  const remedy = error instanceof WeaveError ? error.remedy : undefined;
  return remedy === undefined ? errorText(error) : `${errorText(error)}; ${remedy}`;
}

function answer(context: Context, body: object, status: 200 | 500 = 200): Response {
  return context.body(JSON.stringify(body), status, { "Content-Type": mediaType });
}
