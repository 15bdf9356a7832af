import type { RouteTable } from "../route-spec.ts";

/** Which hosts belong to the cluster. */
export const peerTable = {
  connect: {
    method: "post",
    path: "/connect",
    summary: "connect to further peers",
    parameters: [
      { name: "peer", meaning: "`host[:port]`", isRepeatable: true },
      { name: "replace", meaning: "drop all other peers", isSwitch: true },
    ],
    answer:
      "200. Peers are `host[:port]`. Those that can be read are applied and remembered in any case; for the others 400 with a line each. `replace=true` drops all others, and all without a `peer`",
    success: { status: 200 },
    fails: [400],
  },
  forget: {
    method: "post",
    path: "/forget",
    summary: "stop trying to connect to peers",
    parameters: [{ name: "peer", meaning: "as it was given", isRepeatable: true }],
    answer: "200, also for unknown ones. Connections stay until they end",
    success: { status: 200 },
  },
  leave: {
    method: "delete",
    path: "/peer",
    summary: "leave the cluster",
    answer:
      "204. Hands our addresses to another peer and gives up all requests, now and later: the last act before a reset",
    success: { status: 204 },
  },
  succeed: {
    method: "post",
    path: "/successor",
    summary: "start a process that takes the place of this router",
    answer:
      '200 `{"pid": <n>}`. Starts a process that takes the place of this router, from the program as it lies in its place now, and answers when it is ready for that. Right afterwards this one lets go of everything; `weave upgrade-self` watches over it. 500 with the reason when there is none, and everything stays',
    success: {
      status: 200,
      json: { type: "object", properties: { pid: { type: "integer" } }, required: ["pid"] },
    },
    fails: [500],
  },
  removePeer: {
    method: "delete",
    path: "/peer/:id",
    summary: "take over the addresses of a peer that is gone",
    parameters: [{ name: "force", meaning: "also of a peer that is alive", isSwitch: true }],
    answer:
      "200 `<n> IPs taken over from {id}`, line end. `{id}` is a name or nickname. 0 for unknown peers and ourselves. 409 for a peer that is alive, unless `force=true`. Empty without address allocation",
    success: { status: 200, text: { example: "1048576 IPs taken over from host2\n" } },
    fails: [400, 409],
  },
} as const satisfies RouteTable;
