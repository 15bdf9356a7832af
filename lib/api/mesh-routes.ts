import type { Hono } from "hono";
import { parseCidr } from "../base/ip.ts";
import { refuse, refuseError, text } from "./answers.ts";
import { Parameters, parseGoBoolean } from "./parameters.ts";
import type { RouterControl } from "./router-control.ts";

/** Adds `/connect`, `/forget`, `/peer` and the original's `/expose` (http-api §3.1). */
export function meshRoutes(app: Hono, router: RouterControl): void {
  app.post("/connect", async (context) => {
    const parameters = await Parameters.of(context);
    const refused = router.connect(parameters.all("peer"), {
      replace: parameters.isTrue("replace"),
    });
    if (refused.length === 0) return text(context, "");
    return refuse(context, 400, refused.map((error) => error.message).join("\n"));
  });

  app.post("/forget", async (context) => {
    router.forget((await Parameters.of(context)).all("peer"));
    return text(context, "");
  });

  app.delete("/peer", (context) => {
    router.leave();
    return context.body(null, 204);
  });

  app.delete("/peer/:id", (context) => {
    const id = context.req.param("id");
    if (router.ipam === undefined) return text(context, "");
    try {
      const force = context.req.query("force") === "true";
      return text(context, `${router.removePeer(id, { force })} IPs taken over from ${id}\n`);
    } catch (error) {
      return refuseError(context, error);
    }
  });

  app.post("/expose/:ip/:length", async (context) => {
    const word = (await Parameters.of(context)).one("skipNAT");
    const skipNat = word === "" ? false : parseGoBoolean(word);
    try {
      const cidr = parseCidr(`${context.req.param("ip")}/${context.req.param("length")}`);
      if (skipNat === undefined) {
        return refuse(context, 400, `unable to parse skipNAT option: invalid syntax "${word}"`);
      }
      await router.containers.exposeAddress(cidr, { masquerade: !skipNat });
      return context.body(null, 204);
    } catch (error) {
      const isAddress = error instanceof Error && /CIDR/.test(error.message);
      const lead = isAddress ? "unable to parse ip addr: " : "unable to expose: ";
      const sentence = error instanceof Error ? error.message : String(error);
      return refuse(context, isAddress ? 400 : 500, lead + sentence);
    }
  });
}
