import { expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { UpstreamSockets } from "../../lib/host/dns-upstream.ts";
import { eventually } from "../hosts/shell.ts";
import { loneWorld } from "../sim/world.ts";

function openSockets(): number {
  const links = readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link.startsWith("socket:")).length;
}

test("a question that the kernel does not let out leaves no socket open", async () => {
  const sockets = new UpstreamSockets(loneWorld().world);
  const tooLong = new Uint8Array(66_000);
  const ask = (): Promise<string> =>
    new Promise((resolve) => {
      const stop = sockets.exchange({ host: "127.0.0.1", port: 53 }, "udp", tooLong, {
        reply: () => resolve("replied"),
        failed: (error) => {
          stop();
          resolve(error.message);
        },
      });
    });
  expect(await ask()).toContain("EMSGSIZE");
  const before = openSockets();
  await Promise.all(Array.from({ length: 20 }, ask));
  await eventually(
    "as many sockets as before",
    async () => openSockets(),
    (count) => count <= before,
  );
});
