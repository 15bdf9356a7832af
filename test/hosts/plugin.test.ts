import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Container, type Host, Lab } from "./lab.ts";
import { PretendedDocker } from "./pretended-docker.ts";
import { killed, must } from "./shell.ts";

/** Two hosts with fast datapaths whose routers are plugins of an engine that is pretended. */
describe("a plugin of Docker, without Docker", () => {
  const subnets = ["--ipalloc-range", "10.32.0.0/12", "--ipalloc-default-subnet", "10.32.0.0/16"];
  const [shop, forum] = ["10.40.0.0/16", "10.41.0.0/16"] as const;
  let lab: Lab;
  let one: Host;
  let two: Host;
  let docker: PretendedDocker;
  let other: PretendedDocker;
  let here: { container: Container; ip: string };

  beforeAll(async () => {
    lab = await Lab.onSwitch("plg", 2);
    [one, two] = lab.hosts as [Host, Host];
    [docker, other] = [new PretendedDocker(one), new PretendedDocker(two)];
    for (const host of lab.hosts) host.fastdp = true;
    await one.launch([...subnets, ...docker.flags]);
    await two.launch([...subnets, ...other.flags, one.ip]);
    await two.reaches(1);
    here = await docker.container("1", shop);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("carries a network between hosts, and lets nobody else in, whatever routes there are", async () => {
    const there = await other.container("2", shop);
    const stranger = await other.container("3", forum);
    await here.container.pings(there.ip);
    await there.container.pings(here.ip);
    for (const { container } of [here, there, stranger]) {
      await must(["ip", "-n", container.namespace, "route", "add", "10.0.0.0/8", "dev", "ethwe0"]);
    }
    const once = ["ping", "-c", "1", "-W", "1"];
    const tries = [
      stranger.container.exec([...once, here.ip]),
      stranger.container.exec([...once, there.ip]),
      here.container.exec([...once, stranger.ip]),
      there.container.exec([...once, stranger.ip]),
    ];
    expect((await Promise.all(tries)).map(({ code }) => code)).toEqual([1, 1, 1, 1]);
    await here.container.pings(there.ip);
  });

  test("knows its networks after its death, and takes back what went meanwhile", async () => {
    const gone = await docker.container("4", shop);
    await killed(await one.routerPid());
    expect(existsSync(docker.socket)).toBe(true);
    await must(["ip", "netns", "delete", gone.container.namespace]);
    await one.launch([...subnets, ...docker.flags, two.ip]);
    expect((await docker.container("5", shop)).ip).toBe(gone.ip);
    const report = JSON.parse(await one.mustWeave(["report", "-f", "{{json .Plugin.Networks}}"]));
    const endpoints = report.map((each: { Endpoints: number }) => each.Endpoints);
    expect(endpoints.toSorted()).toEqual([0, 1, 1]);
    await docker.end("1", shop, here.ip);
    expect((await docker.container("6", shop)).ip).toBe(here.ip);
  });

  test("leaves no socket when it is stopped, dead or alive", async () => {
    await two.mustWeave(["stop"]);
    expect(existsSync(other.socket)).toBe(false);
    await killed(await one.routerPid());
    expect(existsSync(docker.socket)).toBe(true);
    await one.weave(["stop"]);
    expect(existsSync(docker.socket)).toBe(false);
  });
});
