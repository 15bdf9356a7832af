import type { Context, Hono } from "hono";
import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { answerJson } from "./answers.ts";
import type { ContainerControl } from "./router-control.ts";

/**
 * Routes of our own: whole operations on containers, so that any client can ask for what
 * `weave attach` and its siblings do. Bodies and answers are JSON.
 */
const tokens = v.optional(v.pipe(v.array(v.string()), v.maxLength(256)), []);

const attachBody = v.object({
  addresses: tokens,
  withoutDns: v.optional(v.boolean(), false),
  rewriteHosts: v.optional(v.boolean(), false),
  addHosts: tokens,
  multicastRoute: v.optional(v.boolean(), true),
});
const addressesBody = v.object({ addresses: tokens });
const exposeBody = v.object({
  addresses: tokens,
  masquerade: v.optional(v.boolean(), true),
  fqdn: v.exactOptional(v.string()),
});
const namesBody = v.object({
  container: v.exactOptional(v.string()),
  addresses: tokens,
  fqdn: v.exactOptional(v.string()),
});

export function containerRoutes(app: Hono, containers: ContainerControl): void {
  app.post("/attach/:container", (context) =>
    answer(context, attachBody, (body) =>
      containers.attach(
        { ...body, container: context.req.param("container") },
        context.req.raw.signal,
      ),
    ),
  );
  app.post("/detach/:container", (context) =>
    answer(context, addressesBody, (body) =>
      containers.detach({ ...body, container: context.req.param("container") }),
    ),
  );
  app.post("/expose", (context) =>
    answer(context, exposeBody, (body) => containers.expose(body, context.req.raw.signal)),
  );
  app.post("/hide", (context) => answer(context, addressesBody, (body) => containers.hide(body)));
  app.post("/attach-bridge/:bridge", (context) =>
    answerJson(context, async () => ({
      joined: await containers.joinBridge(context.req.param("bridge")),
    })),
  );
  app.post("/dns-add", (context) =>
    answer(context, namesBody, (body) => containers.addNames(body)),
  );
  app.post("/dns-remove", (context) =>
    answer(context, namesBody, (body) => containers.removeNames(body)),
  );
  app.get("/dns-lookup/:name", (context) =>
    answerJson(context, async () => ({
      addresses: containers.lookupName(context.req.param("name")),
    })),
  );
  app.get("/ps", (context) =>
    answerJson(context, async () => ({
      containers: await containers.list(context.req.queries("container") ?? []),
    })),
  );
}

async function answer<Schema extends v.GenericSchema>(
  context: Context,
  schema: Schema,
  action: (body: v.InferOutput<Schema>) => Promise<object>,
): Promise<Response> {
  return answerJson(context, async () => {
    const raw = await context.req.text();
    const parsed = v.safeParse(schema, parseJson(raw));
    if (!parsed.success) {
      const issue = parsed.issues[0];
      throw new WeaveError("BODY_INVALID", `${v.getDotPath(issue) ?? "body"}: ${issue.message}`);
    }
    return action(parsed.output);
  });
}

/** Without a body all members have their defaults. */
function parseJson(raw: string): unknown {
  if (raw === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (cause) {
    throw new WeaveError("BODY_INVALID", "the request body is no JSON", { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new WeaveError("BODY_INVALID", "the request body is no JSON object");
}
