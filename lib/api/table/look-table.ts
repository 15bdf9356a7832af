import { diagnosisModel, explanationModel } from "../diagnosis-models.ts";
import { goJsonSchema } from "../go-json-schema.ts";
import { jsonSchema } from "../json-schema.ts";
import type { RouteTable } from "../route-spec.ts";
import { reportType } from "../template/report-type.ts";

/** Looking, for people and programs. The status address has the first two tables and metrics. */

const page = (example: string) =>
  ({ success: { status: 200, text: { example } }, fails: [503] }) as const;

export const statusTable = {
  status: {
    method: "get",
    path: "/status",
    summary: "show the router and its services",
    answer: "a section for each service",
    ...page("        Version: 3.0.0 (version check update disabled)\n"),
  },
  statusTargets: {
    method: "get",
    path: "/status/targets",
    summary: "list the peers to connect to",
    answer: "peers to connect to, as they were typed",
    ...page("10.0.0.2\n"),
  },
  statusConnections: {
    method: "get",
    path: "/status/connections",
    summary: "list the connections",
    answer: "one line for each connection",
    ...page("-> 10.0.0.2:6783         established fastdp 00:00:00:00:00:02(host2)\n"),
  },
  statusPeers: {
    method: "get",
    path: "/status/peers",
    summary: "list the peers of the cluster",
    answer: "all peers of the cluster with their connections",
    ...page("00:00:00:00:00:01(host1)\n"),
  },
  statusDns: {
    method: "get",
    path: "/status/dns",
    summary: "list the names",
    answer: "live names; empty when weaveDNS is off",
    ...page("one          10.32.0.1                    c1 00:00:00:00:00:01\n"),
  },
  statusIpam: {
    method: "get",
    path: "/status/ipam",
    summary: "list who owns how many addresses",
    answer:
      "who owns how many addresses; empty before the cluster agreed and when allocation is off",
    ...page("00:00:00:00:00:01(host1)  1048576 IPs (100.0% of total) (3 active)\n"),
  },
  readyz: {
    method: "get",
    path: "/readyz",
    summary: "tell whether the router is of use",
    answer:
      "`ok` when all that the router was started for is done; else, with status 503, what is awaited, a line each. `/status` answers 200 before that",
    success: { status: 200, text: { example: "ok\n" } },
    fails: [503],
  },
} as const satisfies RouteTable;

export const reportTable = {
  report: {
    method: "get",
    path: "/report",
    summary: "tell everything the router knows",
    parameters: [{ name: "format", meaning: "a template of Go's text/template" }],
    answer:
      "with `Accept: application/json` everything there is to know, as JSON; else what the template makes of it",
    success: {
      status: 200,
      json: goJsonSchema(reportType),
      text: { example: "00:00:00:00:00:01(host1)" },
    },
    fails: [400, 500],
  },
} as const satisfies RouteTable;

export const metricsTable = {
  metrics: {
    method: "get",
    path: "/metrics",
    summary: "measure",
    answer: "text of Prometheus",
    success: {
      status: 200,
      text: {
        type: "text/plain; version=0.0.4; charset=utf-8",
        example: "weave_connection_terminations_total 0\n",
      },
    },
  },
} as const satisfies RouteTable;

export const diagnosisTable = {
  doctor: {
    method: "get",
    path: "/doctor",
    summary: "look for what is wrong on this host and its links",
    answer: "`examined` (`router`, `links`, `peers`, `containers`) and `findings`, the worst first",
    success: { status: 200, json: jsonSchema(diagnosisModel) },
    fails: [500],
  },
  why: {
    method: "get",
    path: "/why",
    summary: "follow a frame from one place to another",
    parameters: [
      { name: "from", meaning: "a container, an address, a name or a peer", isRequired: true },
      { name: "to", meaning: "where to: the same" },
    ],
    answer:
      "`from`, `to`, `verdict` (`whole`, `degraded`, `broken`), `answer`, `steps` (`kind`, `title`, `details`) and `findings`. Without `to` one place is explained. 400 without `from`, 404 for `netns:` and `pid:` that lead nowhere",
    success: { status: 200, json: jsonSchema(explanationModel) },
    fails: [400, 404, 409, 500, 503],
  },
} as const satisfies RouteTable;

export const descriptionTable = {
  openapi: {
    method: "get",
    path: "/openapi.json",
    summary: "describe this interface",
    answer: "all of this page that programs can use, as OpenAPI 3.1",
    success: { status: 200, json: { type: "object" } },
  },
} as const satisfies RouteTable;
