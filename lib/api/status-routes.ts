import type { Context, Hono } from "hono";
import { acceptsJson, refuse, text } from "./answers.ts";
import { goJson } from "./go-json.ts";
import { metricsText } from "./metrics.ts";
import type { Report } from "./report.ts";
import type { RouterControl } from "./router-control.ts";
import {
  connectionsText,
  dnsText,
  ipamText,
  peersText,
  statusText,
  targetsText,
} from "./status-text.ts";
import { renderTemplate } from "./template/render.ts";
import { reportType } from "./template/report-type.ts";

/** Adds `/status…` and `/report`: everything that only reads. */
export function statusRoutes(app: Hono, router: RouterControl): void {
  const page = (path: string, render: (report: Report) => string): void => {
    app.get(path, async (context) =>
      text(context, render(await router.report()), router.ready() ? 200 : 503),
    );
  };
  page("/status", statusText);
  page("/status/targets", (report) => targetsText(report.Router));
  page("/status/connections", (report) => connectionsText(report.Router));
  page("/status/peers", (report) => peersText(report.Router));
  page("/status/dns", (report) => (report.DNS === undefined ? "" : dnsText(report.DNS)));
  page("/status/ipam", (report) =>
    report.IPAM === undefined ? "" : ipamText(report.IPAM, report.Router.Name),
  );
  app.get("/report", (context) => answerReport(context, router));
}

/** Adds `/metrics` (http-api §6). */
export function metricsRoute(app: Hono, router: RouterControl): void {
  app.get("/metrics", async (context) =>
    context.body(metricsText(await router.report(), router.gauges()), 200, {
      "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
    }),
  );
}

/** JSON for who accepts it, else the template given as `format` (http-api §5). */
async function answerReport(context: Context, router: RouterControl): Promise<Response> {
  const formats = context.req.queries("format") ?? [];
  if (acceptsJson(context)) {
    return context.body(goJson(await router.report(), "    "), 200, {
      "Content-Type": "application/json",
    });
  }
  const [format] = formats;
  if (format === undefined || formats.length !== 1) {
    return refuse(context, 400, "error: must supply one format parameter");
  }
  const rendered = renderTemplate(format, await router.report(), reportType);
  if (rendered.parseError !== undefined) return refuse(context, 400, rendered.parseError);
  if (rendered.error === undefined) return text(context, rendered.output);
  if (rendered.output === "") return refuse(context, 500, rendered.error);
  return text(context, `${rendered.output}${rendered.error}\n`);
}
