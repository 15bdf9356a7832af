import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { JsonSchema } from "../../lib/api/json-schema.ts";
import { utf8 } from "../../lib/base/bytes.ts";
import { requestOf, requests } from "./requests.ts";
import { mismatches } from "./schema-check.ts";
import { Alone } from "./test-router.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, Described>>;
}

interface Described {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
}

const text = readFileSync("docs/openapi.json", "utf8");
const document = JSON.parse(text) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

/** Statuses of every route, which the conventions tell of. */
const general = [301, 403, 404, 405, 413];

function resolved<T>(part: T): T {
  if (typeof part !== "object" || part === null || !("$ref" in part)) return part;
  const [, , room = "", name = ""] = String(part.$ref).split("/");
  return document.components[room]![name] as T;
}

describe("docs/openapi.json", () => {
  test("is what the router serves", async () => {
    const answer = await new Alone().ask("GET", "/openapi.json");
    expect(answer).toMatchObject({ status: 200, body: text, type: "application/json" });
  });

  test("describes the routes that the router has, and no others", () => {
    const served = new Alone().app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ path, method }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    const described = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    expect(described.sort()).toEqual(served.sort());
  });

  test("gives every operation a name of its own, and every part of a path its parameter", () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation } of operations) {
      const inPath = operation.parameters.filter((each) => each.in === "path");
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    }
  });

  test("refers to nothing that it does not have", () => {
    for (const [, room, name] of text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)) {
      expect(document.components[room!]?.[name!], `${room}/${name}`).toBeDefined();
    }
  });
});

describe("answers are as the description says", () => {
  const alone = new Alone();
  for (const line of requests) {
    test(`to ${line.split("\n")[0]}`, async () => {
      const request = requestOf(utf8(line), new AbortController().signal)!;
      const response = await alone.app.fetch(request);
      const { operation } = operations.find(({ path, method }) => {
        const shape = new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
        return method.toUpperCase() === request.method && shape.test(new URL(request.url).pathname);
      })!;
      const described = operation.responses[response.status];
      if (described === undefined) {
        expect(general).toContain(response.status);
        return;
      }
      const body = await response.text();
      const { content = {} } = resolved(described);
      if (body === "") return;
      const type = response.headers.get("Content-Type") ?? "";
      expect(Object.keys(content)).toContain(type);
      if (type !== "application/json") return;
      expect(mismatches(resolved(content[type]!.schema), JSON.parse(body))).toEqual([]);
    });
  }
});
