import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { metricTable } from "../../lib/api/metrics/metric-table.ts";
import { withMetricTables } from "../../lib/api/metrics/metrics-page.ts";
import { Alone } from "./test-router.ts";

const text = readFileSync("docs/api.md", "utf8");

test("docs/api.md tells of every route", () => {
  const routes = new Alone().app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ path, method }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  expect(routes.length).toBeGreaterThan(30);
  expect(routes.filter((route) => !text.includes(`\`${route}\``))).toEqual([]);
});

test("docs/metrics.md tells of every metric", () => {
  const page = readFileSync("docs/metrics.md", "utf8");
  expect(withMetricTables(page)).toBe(page);
  const names = Object.keys(metricTable);
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
});

test("docs/api.md has no route that the router does not have", async () => {
  const alone = new Alone();
  alone.router.proxy = { Addresses: ["unix:///var/run/weave/weave.sock"] };
  const documented = [...text.matchAll(/`(GET|POST|PUT|DELETE) (\/[^`?…]*)(\?[^`]*)?`/g)];
  expect(documented.length).toBeGreaterThan(30);
  const headers = { Accept: "application/json" };
  for (const [, method, path] of documented) {
    const example = path!.replaceAll(/\{\w+\}/g, "1");
    const { body, status } = await alone.ask(method!, example, { headers });
    const isKnown = status !== 405 && body !== "404 page not found\n";
    expect(`${method} ${path} is ${isKnown ? "known" : "unknown"}`).toEndWith("is known");
  }
});
