import type { Context, Hono } from "hono";
import type { BlankEnv } from "hono/types";
import { WeaveError } from "../base/errors.ts";
import { refuseError, text } from "./answers.ts";
import { Parameters } from "./parameters.ts";
import { addRoutes } from "./route-spec.ts";
import type { RouterControl } from "./router-control.ts";
import { peerTable } from "./table/peer-table.ts";

/** Adds `/connect`, `/forget`, `/successor` and `/peer` (http-api §3.1). */
export function meshRoutes(app: Hono, router: RouterControl): void {
  addRoutes(app, peerTable, {
    connect: (context) => connect(context, router),
    forget: (context) => forget(context, router),
    leave: (context) => {
      router.leave();
      return context.body(null, 204);
    },
    succeed: (context) => succeed(context, router),
    removePeer: (context) => removePeer(context, router),
  });
}

/** Peers that can be read are applied, whatever the others are: the answer tells only of those. */
async function connect(context: Context, router: RouterControl): Promise<Response> {
  const parameters = await Parameters.of(context);
  const refused = router.connect(parameters.all("peer"), {
    replace: parameters.isTrue("replace"),
  });
  const [first] = refused;
  if (first === undefined) return text(context, "");
  const lines = refused.map((error) => error.message).join("\n");
  const { code, remedy } = first;
  const error = new WeaveError(code, lines, remedy === undefined ? {} : { remedy });
  return refuseError(context, error, code === "STORE_WRITE" ? {} : { status: 400 });
}

async function forget(context: Context, router: RouterControl): Promise<Response> {
  const parameters = await Parameters.of(context);
  try {
    router.forget(parameters.all("peer"));
    return text(context, "");
  } catch (error) {
    return refuseError(context, error);
  }
}

async function succeed(context: Context, router: RouterControl): Promise<Response> {
  try {
    return context.json({ pid: await router.succeed() });
  } catch (error) {
    return refuseError(context, error);
  }
}

type PeerContext = Context<BlankEnv, typeof peerTable.removePeer.path>;

function removePeer(context: PeerContext, router: RouterControl): Response {
  const id = context.req.param("id");
  if (router.ipam === undefined) return text(context, "");
  try {
    const force = context.req.query("force") === "true";
    return text(context, `${router.removePeer(id, { force })} IPs taken over from ${id}\n`);
  } catch (error) {
    return refuseError(context, error);
  }
}
