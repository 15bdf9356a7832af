import type { ApiRequest } from "../../lib/cli/api-client.ts";
import { type SomeNetwork, someReading } from "./some-network.ts";

/** What a router of some network answers to who looks; events go on until nobody listens. */
export function someRouter(
  network: () => SomeNetwork,
): (request: Pick<ApiRequest, "path" | "signal">) => string | Promise<string> {
  return ({ path: [what], signal }) => {
    const { picture, report } = someReading(network());
    switch (what) {
      case "picture":
        return JSON.stringify(picture);
      case "report":
        return JSON.stringify(report);
      case "doctor":
        return JSON.stringify(diagnosis);
      default:
        return signal === undefined ? `${JSON.stringify(event)}\n` : aborted(signal);
    }
  };
}

const diagnosis = {
  examined: { router: "host1", links: 2, peers: 3, containers: 2 },
  findings: [
    {
      ...{ code: "LINK_DEGRADED", severity: "warning", about: "x", sentence: "x", remedy: "x" },
      commands: [],
    },
  ],
};

const event = {
  ...{ id: 1, at: "2026-01-02T15:04:05.678Z", kind: "link.lost", text: "link to host3 lost" },
  details: {},
};

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
