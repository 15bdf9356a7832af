import type { Handler, Hono } from "hono";
import type { BlankEnv } from "hono/types";
import type { JsonSchema } from "./json-schema.ts";

/**
 * What a route is, as data. Registration, the tables of `docs/api.md` and the OpenAPI description are
 * functions of these records (see `route-table.ts`); the `*-routes.ts` files know what a route does.
 */
export interface RouteSpec {
  readonly method: "get" | "post" | "put" | "delete";
  /** As the router matches it: `/ip/:id`. */
  readonly path: string;
  /** A few words, no full stop. */
  readonly summary: string;
  readonly parameters?: readonly ParameterSpec[];
  /** Of a JSON body; every member may be left out, and so may the body. */
  readonly body?: JsonSchema;
  /** Of the request header without which there is no answer. */
  readonly accept?: string;
  /** What comes back, and what the route does with what it takes: CommonMark in one line. */
  readonly answer: string;
  readonly success: Success;
  /** What else the route answers with, besides what every route may. */
  readonly fails?: readonly FailureStatus[];
}

/** In the query, or in a form where the method has a body. */
export interface ParameterSpec {
  readonly name: string;
  readonly meaning: string;
  /** Counts as given when it is exactly `true`. */
  readonly isSwitch?: true;
  readonly isRequired?: true;
  readonly isRepeatable?: true;
}

/** Without `text` and `json` there is no body; with both the request's `Accept` decides. */
export interface Success {
  readonly status: 200 | 204;
  readonly text?: { readonly type?: string; readonly example: string };
  readonly json?: JsonSchema;
}

/** What a status other than success means, wherever it comes from. */
export const statusMeanings = {
  301: "doubled slashes: `Location` has the clean path",
  400: "the request is wrong, or asks for what another holds",
  403: "a browser, on TCP",
  404: "no such path; a service that is off has no paths; no such container",
  405: "known path, other method (`HEAD` is not `GET`); `Allow` names the right ones",
  408: "the rest of the request did not come within five seconds",
  409: "not now: the container does not run, the request was cancelled, the peer is alive",
  413: "the body is too long",
  500: "a fault of this host: the sentence says which",
  503: "`/status…` and `/readyz` before everything has started; too many requests wait; the engine does not answer",
} as const;

export type FailureStatus = 400 | 404 | 409 | 500 | 503;

/** Routes by their operation's name, which is unique among all tables. */
export type RouteTable = Readonly<Record<string, RouteSpec>>;

export type HandlersOf<Table extends RouteTable> = {
  readonly [Id in keyof Table]: Handler<BlankEnv, Table[Id]["path"]>;
};

/** Has `app` answer every route of a table: none can be without a handler, or a handler without one. */
export function addRoutes<Table extends RouteTable>(
  app: Hono,
  table: Table,
  handlers: HandlersOf<Table>,
): void {
  for (const [id, { method, path }] of Object.entries(table)) {
    app.on(method.toUpperCase(), path, handlers[id]!);
  }
}
