import type { Context, Hono } from "hono";
import { errorText } from "../base/errors.ts";
import { type Cidr, parseCidr } from "../base/ip.ts";
import { refuse, refuseError, text } from "./answers.ts";
import { Parameters, parseGoBoolean } from "./parameters.ts";
import type { RouterControl } from "./router-control.ts";

/** Adds `/connect`, `/forget`, `/peer` and the original's `/expose` (http-api §3.1). */
export function meshRoutes(app: Hono, router: RouterControl): void {
  app.post("/connect", (context) => connect(context, router));
  app.post("/forget", async (context) => {
    router.forget((await Parameters.of(context)).all("peer"));
    return text(context, "");
  });
  app.delete("/peer", (context) => {
    router.leave();
    return context.body(null, 204);
  });
  app.post("/successor", (context) => succeed(context, router));
  app.delete("/peer/:id", (context) => removePeer(context, router));
  app.post("/expose/:ip/:length", (context) => expose(context, router));
}

/** Peers that can be read are applied, whatever the others are: the answer tells only of those. */
async function connect(context: Context, router: RouterControl): Promise<Response> {
  const parameters = await Parameters.of(context);
  const refused = router.connect(parameters.all("peer"), {
    replace: parameters.isTrue("replace"),
  });
  if (refused.length === 0) return text(context, "");
  return refuse(context, 400, refused.map((error) => error.message).join("\n"));
}

async function succeed(context: Context, router: RouterControl): Promise<Response> {
  try {
    return context.json({ pid: await router.succeed() });
  } catch (error) {
    return refuseError(context, error);
  }
}

function removePeer(context: Context, router: RouterControl): Response {
  const id = context.req.param("id") ?? "";
  if (router.ipam === undefined) return text(context, "");
  try {
    const force = context.req.query("force") === "true";
    return text(context, `${router.removePeer(id, { force })} IPs taken over from ${id}\n`);
  } catch (error) {
    return refuseError(context, error);
  }
}

/** Everything is read before anything is done. */
async function expose(context: Context, router: RouterControl): Promise<Response> {
  const word = (await Parameters.of(context)).one("skipNAT");
  const skipNat = word === "" ? false : parseGoBoolean(word);
  let cidr: Cidr;
  try {
    cidr = parseCidr(`${context.req.param("ip")}/${context.req.param("length")}`);
  } catch (error) {
    return refuseError(context, error, "unable to parse ip addr: ");
  }
  if (skipNat === undefined) {
    return refuse(context, 400, `unable to parse skipNAT option: "${word}" is no boolean`);
  }
  try {
    await router.containers.exposeAddress(cidr, { masquerade: !skipNat });
    return context.body(null, 204);
  } catch (error) {
    return refuse(context, 500, `unable to expose: ${errorText(error)}`);
  }
}
