import type { RouteTable } from "../route-spec.ts";

const checkAlive = {
  name: "check-alive",
  meaning: "`{id}` is a container, which must run, and whose addresses are freed when it is gone",
  isSwitch: true,
} as const;

const cidr = { example: "10.32.0.1/12" } as const;

/** Address allocation. These routes do not exist when it is off. */
export const addressTable = {
  allocate: {
    method: "post",
    path: "/ip/:id",
    summary: "allocate an address of the default subnet",
    parameters: [checkAlive],
    answer:
      "200 with address and mask, e.g. `10.32.0.1/12`. The same `{id}` gets the same address again",
    success: { status: 200, text: cidr },
    fails: [409, 503],
  },
  allocateInSubnet: {
    method: "post",
    path: "/ip/:id/:ip/:length",
    summary: "allocate an address of a subnet",
    parameters: [checkAlive],
    answer: "200 with an address of that subnet and its mask",
    success: { status: 200, text: cidr },
    fails: [400, 409, 503],
  },
  lookup: {
    method: "get",
    path: "/ip/:id",
    summary: "list what a container holds in the default subnet",
    answer: "200 with what `{id}` holds there, separated by a blank; empty if nothing",
    success: { status: 200, text: { example: "10.32.0.1/12 10.32.0.7/12" } },
  },
  lookupInSubnet: {
    method: "get",
    path: "/ip/:id/:ip/:length",
    summary: "list what a container holds in a subnet",
    answer: "200 with what `{id}` holds in that subnet",
    success: { status: 200, text: cidr },
    fails: [400],
  },
  listAddresses: {
    method: "get",
    path: "/ip",
    summary: "list what all containers hold",
    answer:
      '200 `{"owned":[{"containerid":…,"addrs":[…]}]}`, line end; `null` when there is nothing',
    success: {
      status: 200,
      json: {
        type: "object",
        properties: {
          owned: {
            type: ["array", "null"],
            items: {
              type: "object",
              properties: {
                containerid: { type: "string" },
                addrs: { type: "array", items: { type: "string" } },
              },
              required: ["containerid", "addrs"],
            },
          },
        },
        required: ["owned"],
      },
    },
  },
  claim: {
    method: "put",
    path: "/ip/:id/:ip/:length",
    summary: "claim one address",
    parameters: [
      checkAlive,
      {
        name: "noErrorOnUnknown",
        meaning: "answer at once what cannot be decided yet, and decide later",
        isSwitch: true,
      },
    ],
    answer:
      "204: the address is `{id}`'s. 400 `Unable to claim: …`. Outside the range it is noted at once. With `noErrorOnUnknown=true` a claim that cannot be decided yet is answered at once and decided later",
    success: { status: 204 },
    fails: [400, 409, 503],
  },
  free: {
    method: "delete",
    path: "/ip/:id/:ip",
    summary: "free one address",
    answer: "204; 400 `Unable to free: …`",
    success: { status: 204 },
    fails: [400],
  },
  freeAll: {
    method: "delete",
    path: "/ip/:id",
    summary: "free all addresses of a container",
    answer: "204: everything `{id}` holds is free; 400 `Delete: no addresses for {id}`",
    success: { status: 204 },
    fails: [400],
  },
  prime: {
    method: "get",
    path: "/ring",
    summary: "wait until addresses can be allocated",
    answer: "200 when the cluster has agreed on who owns which addresses; starts the election",
    success: { status: 200 },
  },
  defaultSubnet: {
    method: "get",
    path: "/ipinfo/defaultsubnet",
    summary: "tell the default subnet",
    answer: "e.g. `10.32.0.0/12`",
    success: { status: 200, text: { example: "10.32.0.0/12" } },
  },
  tracker: {
    method: "get",
    path: "/ipinfo/tracker",
    summary: "tell which address tracker is in use",
    answer: "`no-masq-local` if the router was launched with that, and a line end",
    success: { status: 200, text: { example: "\n" } },
  },
} as const satisfies RouteTable;
