import type { RouteTable } from "../route-spec.ts";

const fqdn = { name: "fqdn", meaning: "the name, with or without final dot" } as const;

/** weaveDNS. These routes do not exist when it is off. */
export const nameTable = {
  domain: {
    method: "get",
    path: "/domain",
    summary: "tell the domain",
    answer: "e.g. `weave.local.`",
    success: { status: 200, text: { example: "weave.local." } },
  },
  dnsAddress: {
    method: "get",
    path: "/dns-address",
    summary: "tell where the name server listens",
    answer: "the IP address at which the name server listens",
    success: { status: 200, text: { example: "172.17.0.1" } },
  },
  dnsAddressAndPort: {
    method: "get",
    path: "/dns-address-port",
    summary: "tell where the name server listens, with port",
    answer: "IP address and port at which the name server listens",
    success: { status: 200, text: { example: "172.17.0.1:53" } },
  },
  addName: {
    method: "put",
    path: "/name/:id/:ip",
    summary: "register a name",
    parameters: [
      { ...fqdn, isRequired: true },
      { name: "check-alive", meaning: "`{id}` is a container, which must run", isSwitch: true },
    ],
    answer:
      "204, also for a name outside the domain, which is ignored. With `check-alive=true` and a container that does not run the name is removed instead. 400 for an address that is none, or IPv6",
    success: { status: 204 },
    fails: [400, 503],
  },
  removeName: {
    method: "delete",
    path: "/name/:id/:ip",
    summary: "remove names of a container at an address",
    parameters: [fqdn],
    answer:
      "204. Removes the names that this host registered for `{id}` at this address, or `fqdn` alone",
    success: { status: 204 },
    fails: [400],
  },
  removeNamesOf: {
    method: "delete",
    path: "/name/:id",
    summary: "remove names of a container",
    parameters: [fqdn],
    answer: "204. Removes those of `{id}` at any address",
    success: { status: 204 },
  },
  removeAllNames: {
    method: "delete",
    path: "/name",
    summary: "remove names of all containers",
    parameters: [fqdn],
    answer:
      "204. Removes those of any container; without `fqdn` all names that this host registered",
    success: { status: 204 },
  },
  listNames: {
    method: "get",
    path: "/name",
    summary: "list the names of all peers",
    accept: "application/json",
    answer:
      "200 with all entries of all peers, deleted ones with their time in `Tombstone`; `Origin` is the peer's name as a number, and the type is text/plain. 405 without `Accept: application/json`",
    success: {
      status: 200,
      text: {
        example:
          '[{"ContainerID":"c1","Origin":1099511627776,"Addr":"10.32.0.1","Hostname":"one.weave.local.","Version":0,"Tombstone":0}]\n',
      },
    },
  },
} as const satisfies RouteTable;
