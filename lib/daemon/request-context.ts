import type { Around } from "../api/app.ts";
import { askedBy, callerOf } from "./events/asked-by.ts";
import type { Tracer } from "./tracing/tracer.ts";

/** Requests that change nothing come by the second, and are not worth a trace. */
const silentMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * What is done for a request to the control API is done for whoever sends it, and traced as a part of
 * what that is about. Attributes are those of OpenTelemetry's conventions for servers of HTTP.
 */
export function requestContext(transport: "unix" | "tcp", tracer: Tracer): Around {
  return ({ method, route, headers, status }, answer) => {
    const caller = callerOf(headers, transport);
    if (silentMethods.has(method)) return askedBy(caller, answer);
    const start = {
      ...{ name: `${method} ${route}`.trim(), kind: "server" as const },
      traceparent: headers.get("traceparent") ?? undefined,
      attributes: {
        "http.request.method": method,
        "http.route": route,
        "network.transport": transport,
        "weave.caller": caller.kind,
      },
    };
    return tracer.trace(start, async (span) => {
      await askedBy(caller, answer);
      span.set({ "http.response.status_code": status() });
    });
  };
}
