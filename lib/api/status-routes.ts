import type { Context, Hono } from "hono";
import { acceptsJson, refuse, text } from "./answers.ts";
import { goJson } from "./go-json.ts";
import { prometheusText } from "./metrics/prometheus-text.ts";
import { openApiText } from "./openapi.ts";
import type { Report } from "./report.ts";
import { addRoutes } from "./route-spec.ts";
import type { RouterControl } from "./router-control.ts";
import { connectionsText, dnsText, ipamText, peersText, targetsText } from "./status-tables.ts";
import { statusText } from "./status-text.ts";
import { descriptionTable, metricsTable, reportTable, statusTable } from "./table/look-table.ts";
import { renderTemplate } from "./template/render.ts";
import { reportType } from "./template/report-type.ts";

/** Adds `/status…` and `/report`: everything that only reads. */
export function statusRoutes(app: Hono, router: RouterControl): void {
  const page = (render: (report: Report) => string) => async (context: Context) =>
    text(context, render(await router.report()), router.ready() ? 200 : 503);
  addRoutes(app, statusTable, {
    status: page(statusText),
    statusTargets: page((report) => targetsText(report.Router)),
    statusConnections: page((report) => connectionsText(report.Router)),
    statusPeers: page((report) => peersText(report.Router)),
    statusDns: page((report) => (report.DNS === undefined ? "" : dnsText(report.DNS))),
    statusIpam: page((report) =>
      report.IPAM === undefined ? "" : ipamText(report.IPAM, report.Router.Name),
    ),
    readyz(context) {
      const awaited = router.ready() ? router.awaited() : ["the router is starting"];
      const isReady = awaited.length === 0;
      const lines = isReady ? ["ok"] : awaited;
      return text(context, lines.map((line) => `${line}\n`).join(""), isReady ? 200 : 503);
    },
  });
  addRoutes(app, reportTable, { report: (context) => answerReport(context, router) });
}

/** Adds `/openapi.json`. */
export function descriptionRoute(app: Hono): void {
  addRoutes(app, descriptionTable, {
    openapi: (context) => context.body(openApiText(), 200, { "Content-Type": "application/json" }),
  });
}

/** Adds `/metrics` (http-api §6). */
export function metricsRoute(app: Hono, source: Pick<RouterControl, "measurements">): void {
  addRoutes(app, metricsTable, {
    metrics: (context) =>
      context.body(prometheusText(source.measurements()), 200, {
        "Content-Type": metricsTable.metrics.success.text.type,
      }),
  });
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
