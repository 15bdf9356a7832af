import { assert } from "../base/errors.ts";
import type { JsonSchema } from "./json-schema.ts";
import { markdownRow } from "./markdown-row.ts";
import {
  type ParameterSpec,
  type RouteSpec,
  type RouteTable,
  statusMeanings,
} from "./route-spec.ts";
import { documentedPath, routeChapters } from "./route-table.ts";

/**
 * `docs/api.md` with its tables made anew. What people explain to people stands around them:
 *
 *   <!-- routes: Peers -->      the routes of a chapter
 *   <!-- /routes -->
 *   <!-- statuses -->           what statuses mean
 *   <!-- /statuses -->
 */
export function withRouteTables(page: string): string {
  let text = filled(page, "statuses", "/statuses", statusRows());
  for (const [chapter, table] of routeChapters) {
    text = filled(text, `routes: ${chapter}`, "/routes", routeRows(table));
  }
  return text;
}

function filled(page: string, begin: string, end: string, rows: readonly string[]): string {
  const [before, rest] = halves(page, `<!-- ${begin} -->\n`);
  const [, after] = halves(rest, `<!-- ${end} -->\n`);
  return `${before}<!-- ${begin} -->\n${rows.join("\n")}\n<!-- ${end} -->\n${after}`;
}

function halves(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  assert(at >= 0, `docs/api.md lacks ${mark.trim()}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

function statusRows(): string[] {
  const rows = Object.entries(statusMeanings).map((cells) => markdownRow(cells));
  return [markdownRow(["Status", "Means"]), "|---|---|", ...rows];
}

/** Who takes nothing has no column for it. */
function routeRows(table: RouteTable): string[] {
  const routes = Object.values(table);
  const takes = routes.some((route) => taken(route) !== "");
  const cells = (request: string, middle: string, answer: string): string =>
    markdownRow(takes ? [request, middle, answer] : [request, answer]);
  return [
    cells("Request", "Takes", "Answer"),
    takes ? "|---|---|---|" : "|---|---|",
    ...routes.map((route) => cells(requestCell(route), taken(route), route.answer)),
  ];
}

function requestCell({ method, path }: RouteSpec): string {
  return `\`${method.toUpperCase()} ${documentedPath(path)}\``;
}

/** Parameters, or the members of the body. */
function taken({ parameters = [], body }: RouteSpec): string {
  const members = Object.entries((body?.properties ?? {}) as Record<string, JsonSchema>);
  return [...parameters.map(parameterText), ...members.map(memberText)].join(", ");
}

function parameterText({ name, isRepeatable }: ParameterSpec): string {
  return `\`${name}\`${isRepeatable ? " (repeatable)" : ""}`;
}

function memberText([name, schema]: [string, JsonSchema]): string {
  return `\`${name}\`${schema.default === true ? " (default true)" : ""}`;
}
