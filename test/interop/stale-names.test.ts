import { describe, test } from "bun:test";
import { Lab } from "../hosts/lab.ts";
import { eventually, must } from "../hosts/shell.ts";
import { referenceBinary } from "./reference-router.ts";
import { disposeAll, established, type Kind, type Router, routerOn, told } from "./routers.ts";

const lines: readonly Kind[][] = [
  ["ours", "original", "ours"],
  ["ours", "ours", "original"],
  ["original", "ours", "ours"],
];

const record = "/name/weave:extern/10.32.9.1?fqdn=old.weave.local";

if (referenceBinary === undefined) {
  test("stale names of a mixed cluster need a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  describe("a name that was removed while a peer was cut off", () => {
    for (const kinds of lines) {
      test(`does not come back when the cut heals: ${kinds.join(" – ")}`, async () => {
        const lab = await Lab.onSwitch("xn", 3);
        const routers = lab.hosts.map((host, index) => routerOn(host, kinds[index]!));
        const [first, middle, last] = routers as [Router, Router, Router];
        try {
          const flags = ["--no-discovery"];
          await first.start({ flags });
          await middle.start({ flags, peers: [first.host.ip] });
          await last.start({ flags, peers: [middle.host.ip] });
          await established(middle, 2);
          await told(first, "PUT", record);
          await finds(last, "10.32.9.1");

          const cut = ["OUTPUT", "-p", "tcp", "-d", last.host.ip, "-j", "REJECT"];
          const reset = ["--reject-with", "tcp-reset"];
          const atMiddle = ["nsenter", `--net=/run/netns/${middle.host.namespace}`, "iptables"];
          await must([...atMiddle, "-I", ...cut, ...reset]);
          await established(middle, 1);
          await told(first, "DELETE", record);
          await first.stop("SIGTERM");
          await first.start({ flags, peers: [last.host.ip] });
          await established(last, 1);
          await must([...atMiddle, "-D", ...cut, ...reset]);
          await established(last, 2, 40_000);
          await finds(last, "", 2_000);
          await finds(middle, "", 2_000);
        } finally {
          await disposeAll([...routers, lab]);
        }
      });
    }
  });
}

async function finds(router: Router, addresses: string, waitMs = 10_000): Promise<void> {
  await eventually(
    `addresses of "old" at ${router.kind} ${router.host.number}`,
    () => router.lookup("old"),
    (found) => found.join() === addresses,
    waitMs,
  );
}
