import type { RouteTable } from "../route-spec.ts";

/** The Docker API proxy. */
export const proxyTable = {
  proxyAddresses: {
    method: "get",
    path: "/proxyaddrs",
    summary: "list where the Docker API proxy listens",
    answer: "an address in each line, TCP before unix sockets; 404 while it listens nowhere",
    success: { status: 200, text: { example: "unix:///var/run/weave/weave.sock\n" } },
    fails: [404],
  },
} as const satisfies RouteTable;
