import { afterAll, beforeAll, expect, test } from "bun:test";
import { eventually } from "../hosts/shell.ts";
import { proxyOf } from "./docker-shell.ts";
import { EngineLab } from "./engine-lab.ts";
import { addressesHeld } from "./waiting-container.ts";

let lab: EngineLab;
beforeAll(async () => {
  lab = await EngineLab.start("crwd", { engine: "20.10" });
  await lab.host.launch();
});
afterAll(() => lab?.[Symbol.asyncDispose]());

test("fifty containers run at once in a subnet of sixty-two addresses, and leave none behind", async () => {
  const { host } = lab;
  const before = await addressesHeld(host);
  const subnet = ["-e", "WEAVE_CIDR=net:10.32.64.0/26"];
  const show = ["run", "--rm", ...subnet, "bb", "ip", "-4", "-o", "addr", "show", "ethwe"];
  const env = { DOCKER_HOST: proxyOf(host) };
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => host.docker(show, { env })));
  expect(outcomes.filter(({ code }) => code !== 0)).toEqual([]);
  const addresses = outcomes.map(({ stdout }) => /inet (10\.32\.64\.\d+)\/26/.exec(stdout)?.[1]);
  expect(addresses).not.toContain(undefined);
  await eventually(
    "all addresses are free",
    () => addressesHeld(host),
    (held) => held === before,
  );
}, 120_000);
