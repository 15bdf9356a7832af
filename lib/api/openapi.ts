import type { JsonSchema } from "./json-schema.ts";
import {
  type FailureStatus,
  type ParameterSpec,
  type RouteSpec,
  statusMeanings,
} from "./route-spec.ts";
import { documentedPath, routeChapters } from "./route-table.ts";

/** The control API as OpenAPI 3.1 describes interfaces: `docs/openapi.json`, and `/openapi.json`. */
export function openApiText(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`;
}

function openApiDocument(): JsonSchema {
  return {
    openapi: "3.1.0",
    info: {
      title: "weave control API",
      // Of the interface, not of the program: the first number changes when a client has to.
      version: "1.0.0",
      description:
        "The interface of Weave Net 2.x and routes of our own, in HTTP/1.1 on this host alone. " +
        "Every request may also be answered with 301, 403, 404, 405, 408 or 413; docs/api.md says when.",
      license: { name: "Apache 2.0", identifier: "Apache-2.0" },
    },
    servers: [
      { url: "http://127.0.0.1:6784", description: "and the socket /run/weave/control.sock" },
    ],
    tags: [...routeChapters.keys()].map((name) => ({ name })),
    paths: paths(),
    components: { schemas: { Error: errorSchema }, responses: failureResponses() },
  };
}

const errorSchema: JsonSchema = {
  type: "object",
  properties: {
    code: { type: "string", description: "keeps its meaning between releases" },
    message: { type: "string" },
    remedy: { type: "string", description: "what to do" },
  },
  required: ["code", "message"],
};

function paths(): JsonSchema {
  const byPath = new Map<string, Record<string, JsonSchema>>();
  for (const [chapter, table] of routeChapters) {
    for (const [id, route] of Object.entries(table)) {
      const path = documentedPath(route.path);
      byPath.set(path, { ...byPath.get(path), [route.method]: operation(chapter, id, route) });
    }
  }
  return Object.fromEntries(byPath);
}

function operation(chapter: string, id: string, route: RouteSpec): JsonSchema {
  const body = requestBody(route);
  return {
    operationId: id,
    tags: [chapter],
    summary: route.summary,
    description: route.answer,
    parameters: [...pathParameters(route), ...queryParameters(route), ...headers(route)],
    ...(body !== undefined && { requestBody: body }),
    responses: Object.fromEntries([
      [String(route.success.status), success(route)],
      ...(route.fails ?? []).map((status) => [String(status), failure(route, status)]),
    ]),
  };
}

function pathParameters({ path }: RouteSpec): JsonSchema[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters({ method, parameters = [] }: RouteSpec): JsonSchema[] {
  return parameters.map((parameter) => ({
    name: parameter.name,
    in: "query",
    // A form may have it instead.
    ...(parameter.isRequired && !takesForm(method) && { required: true }),
    description: parameter.meaning,
    schema: parameterSchema(parameter),
  }));
}

function parameterSchema({ isSwitch, isRepeatable }: ParameterSpec): JsonSchema {
  const schema = isSwitch ? { type: "string", const: "true" } : { type: "string" };
  return isRepeatable ? { type: "array", items: schema } : schema;
}

function headers({ accept }: RouteSpec): JsonSchema[] {
  if (accept === undefined) return [];
  return [{ name: "Accept", in: "header", required: true, schema: { const: accept } }];
}

/** What a query may say, a form may say as well. */
function requestBody({ method, parameters, body }: RouteSpec): JsonSchema | undefined {
  if (body !== undefined) return { content: { "application/json": { schema: body } } };
  if (parameters === undefined || !takesForm(method)) return undefined;
  const properties = parameters.map((each) => [each.name, parameterSchema(each)]);
  const schema = { type: "object", properties: Object.fromEntries(properties) };
  return { content: { "application/x-www-form-urlencoded": { schema } } };
}

function takesForm(method: RouteSpec["method"]): boolean {
  return method === "post" || method === "put";
}

const plainText = "text/plain; charset=utf-8";

function success({ success: { text, json } }: RouteSpec): JsonSchema {
  if (text === undefined && json === undefined) return { description: "done" };
  return {
    description: "done",
    content: {
      ...(json !== undefined && { "application/json": { schema: json } }),
      ...(text !== undefined && {
        [text.type ?? plainText]: { schema: { type: "string" }, example: text.example },
      }),
    },
  };
}

/** Routes of our own answer with JSON always, those of the original when they are asked to. */
function failure({ success: { json, text } }: RouteSpec, status: FailureStatus): JsonSchema {
  const isOurs = json !== undefined && text === undefined;
  return { $ref: `#/components/responses/${isOurs ? "Json" : "Text"}${status}` };
}

function failureResponses(): JsonSchema {
  const json = { "application/json": { schema: { $ref: "#/components/schemas/Error" } } };
  const text = { [plainText]: { schema: { type: "string" } } };
  return Object.fromEntries(
    Object.entries(statusMeanings).flatMap(([status, description]) => [
      [`Text${status}`, { description, content: { ...json, ...text } }],
      [`Json${status}`, { description, content: json }],
    ]),
  );
}
