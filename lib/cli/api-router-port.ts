import * as v from "valibot";
import type { RouterPort } from "../kubernetes/router-port.ts";
import { readAnswer } from "./answer.ts";
import type { ApiClient } from "./api-client.ts";

/** The router that the control API is of, for who looks after removed nodes. */
export function apiRouterPort(api: ApiClient): RouterPort {
  return {
    async reclaim(peerName) {
      await api.request({ method: "DELETE", path: ["peer", peerName], accept: "application/json" });
    },
    async connect(addresses, { replace }) {
      const form = addresses.map((peer): [string, string] => ["peer", peer]);
      if (replace) form.push(["replace", "true"]);
      await api.request({ method: "POST", path: ["connect"], form });
    },
  };
}

const routerName = v.object({ Router: v.object({ Name: v.string() }) });

/** What the router calls itself. @throws ApiError */
export async function peerNameOf(api: ApiClient): Promise<string> {
  const body = await api.request({ method: "GET", path: ["report"], accept: "application/json" });
  return readAnswer(routerName, body).Router.Name;
}
