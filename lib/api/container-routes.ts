import type { Context, Hono } from "hono";
import type { BlankEnv } from "hono/types";
import { WeaveError } from "../base/errors.ts";
import { type Cidr, parseCidr } from "../base/ip.ts";
import { answerJson, refuseError } from "./answers.ts";
import { answerBody } from "./body-answer.ts";
import { addressesBody, attachBody, exposeBody, namesBody } from "./container-models.ts";
import { Parameters, parseGoBoolean } from "./parameters.ts";
import { addRoutes } from "./route-spec.ts";
import type { ContainerControl } from "./router-control.ts";
import { containerTable } from "./table/container-table.ts";

/**
 * Routes of our own: whole operations on containers, so that any client can ask for what
 * `weave attach` and its siblings do. Bodies and answers are JSON.
 */
export function containerRoutes(app: Hono, containers: ContainerControl): void {
  addRoutes(app, containerTable, {
    attach: (context) =>
      answerBody(context, attachBody, (body) =>
        containers.attach(
          { ...body, container: context.req.param("container") },
          context.req.raw.signal,
        ),
      ),
    detach: (context) =>
      answerBody(context, addressesBody, (body) =>
        containers.detach({ ...body, container: context.req.param("container") }),
      ),
    expose: (context) =>
      answerBody(context, exposeBody, (body) => containers.expose(body, context.req.raw.signal)),
    hide: (context) => answerBody(context, addressesBody, (body) => containers.hide(body)),
    attachBridge: (context) =>
      answerJson(context, async () => ({
        joined: await containers.joinBridge(context.req.param("bridge")),
      })),
    addNames: (context) => answerBody(context, namesBody, (body) => containers.addNames(body)),
    removeNames: (context) =>
      answerBody(context, namesBody, (body) => containers.removeNames(body)),
    lookupName: (context) =>
      answerJson(context, async () => ({
        addresses: containers.lookupName(context.req.param("name")),
      })),
    listContainers: (context) =>
      answerJson(context, async () => ({
        containers: await containers.list(context.req.queries("container") ?? []),
      })),
    exposeAddress: (context) => exposeAddress(context, containers),
  });
}

type ExposeContext = Context<BlankEnv, typeof containerTable.exposeAddress.path>;

/** The original's route. Everything is read before anything is done. */
async function exposeAddress(
  context: ExposeContext,
  containers: ContainerControl,
): Promise<Response> {
  const word = (await Parameters.of(context)).one("skipNAT");
  const skipNat = word === "" ? false : parseGoBoolean(word);
  let cidr: Cidr;
  try {
    cidr = parseCidr(`${context.req.param("ip")}/${context.req.param("length")}`);
  } catch (error) {
    return refuseError(context, error, { lead: "unable to parse ip addr: " });
  }
  if (skipNat === undefined) {
    const sentence = `unable to parse skipNAT option: "${word}" is no boolean`;
    return refuseError(context, new WeaveError("QUERY_INVALID", sentence));
  }
  try {
    await containers.exposeAddress(cidr, { masquerade: !skipNat });
    return context.body(null, 204);
  } catch (error) {
    return refuseError(context, error, { lead: "unable to expose: ", status: 500 });
  }
}
