import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Alone } from "./test-router.ts";

const text = readFileSync("docs/api.md", "utf8");

test("docs/api.md tells of every route", () => {
  const routes = new Alone().app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ path, method }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  expect(routes.length).toBeGreaterThan(30);
  expect(routes.filter((route) => !text.includes(`\`${route}\``))).toEqual([]);
});

test("docs/api.md tells of every metric", () => {
  const sources = [
    ...["lib/api/metrics.ts", "lib/daemon/ipam-gauges.ts", "lib/daemon/router-gauges.ts"],
    "lib/kubernetes/agent/agent-report.ts",
  ]
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  const names = [...sources.matchAll(/["`](weave_[a-z_]+)(["`]|\$\{)/g)].map(([, name, end]) =>
    // Of families with a name for each counter the page has what they have in common.
    end === "${" ? `\`${name}…` : `\`${name}\``,
  );
  expect(names.length).toBeGreaterThan(20);
  const isTold = (name: string) => text.includes(name) || text.includes(familyOf(name));
  expect(names.filter((name) => !isTold(name))).toEqual([]);
});

/** `weave_dataplane_restarts_total` is one of `weave_dataplane_…_total`. */
function familyOf(name: string): string {
  return name.replace(/^(`weave_[a-z]+_)\w+(_total`)$/, "$1…$2");
}

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
