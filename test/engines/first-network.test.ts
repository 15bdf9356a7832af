import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ShellBlock } from "../docs/page-blocks.ts";
import { documentedSteps } from "../hosts/documented-steps.ts";
import { weaveOnPath } from "../hosts/weave-on-path.ts";
import { EngineLab } from "./engine-lab.ts";

/** As a reader of docs/first-network.md would: what it has for Docker, typed on two hosts. */
let lab: EngineLab;
const steps = documentedSteps("first-network.md").filter(({ needs }) => needs.includes("docker"));

beforeAll(async () => {
  lab = await EngineLab.start("read", { engine: "20.10", hosts: 2 });
  for (const host of lab.hosts) await host.mustDocker(["tag", "bb", "busybox"]);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** Types the commands of a block; gives what they print. */
function follow({ hosts: [name], script }: ShellBlock): Promise<string> {
  const host = lab.hosts[Number(name!.slice("host".length)) - 1]!;
  const here = script
    .replaceAll("192.168.48.11", lab.hosts[0]!.ip)
    // All hosts of a lab are one machine, after which both routers would be named.
    .replace("weave launch", `weave launch --name ${host.peerName}`);
  weaveOnPath(host.outside(host.folder));
  const env = { PATH: `${host.folder}/bin:${process.env.PATH}` };
  return host.mustExec(["bash", "-e", "-c", here], { env, waitMs: 60_000 });
}

test("two hosts with Docker reach each other's containers by name, as the page has it", async () => {
  const [first, second, third, fourth, ...more] = steps as [
    ShellBlock,
    ShellBlock,
    ShellBlock,
    ShellBlock,
  ];
  expect(more).toEqual([]);
  await follow(first);
  // The first may be sent before the hosts are linked.
  const reached = /3 packets transmitted, [123] packets received/;
  expect(await follow(second)).toMatch(reached);
  await follow(third);
  expect(await follow(fourth)).toMatch(reached);
}, 120_000);
