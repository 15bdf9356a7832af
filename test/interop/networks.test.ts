import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Host, Lab } from "../hosts/lab.ts";
import { PretendedDocker } from "../hosts/pretended-docker.ts";
import { must } from "../hosts/shell.ts";
import { ReferenceRouter, referenceBinary } from "./reference-router.ts";

if (referenceBinary === undefined) {
  test("networks beside an original need a router of the original", () => {
    console.log("no router of the original to run beside: set WEAVE_REFERENCE_ROUTER");
  });
} else {
  describe("a network of Docker, beside a host of the original", () => {
    const subnets = ["--ipalloc-range", "10.32.0.0/12", "--ipalloc-default-subnet", "10.32.0.0/16"];
    let lab: Lab;
    let reference: ReferenceRouter;
    let docker: PretendedDocker;

    beforeAll(async () => {
      lab = await Lab.onSwitch("wn", 2);
      const [theirs, ours] = lab.hosts as [Host, Host];
      reference = new ReferenceRouter(theirs);
      docker = new PretendedDocker(ours);
      const flags = [...subnets, "--ipalloc-init", "consensus=2"];
      await reference.start({ flags });
      await ours.launch([...flags, ...docker.flags, theirs.ip]);
      await ours.established(1);
    });
    afterAll(async () => {
      await reference?.[Symbol.asyncDispose]();
      await lab?.[Symbol.asyncDispose]();
    });

    test("is one with its containers in that subnet, and keeps all others out", async () => {
      const { container: there, cidr } = await reference.container("there");
      const own = await docker.container("1", "10.40.0.0/16");
      const flat = await docker.container("2", "10.32.0.0/16");
      const inside = (await must(["ip", "-n", there.namespace, "-o", "-4", "addr"])).split("\n");
      const device = inside.map((line) => line.split(/\s+/)[1]).find((name) => name !== "lo")!;
      await flat.container.pings(cidr.split("/")[0]!);
      // In the default subnet alone it does not reach the network, whatever routes there are.
      const [routed, back] = [
        ["ip", "-n", there.namespace, "route", "add", "10.40.0.0/16", "dev", device],
        ["ip", "-n", own.container.namespace, "route", "add", "10.32.0.0/16", "dev", "ethwe0"],
      ];
      await must(routed!);
      await must(back!);
      const once = ["ping", "-c", "1", "-W", "1"];
      expect((await there.exec([...once, own.ip])).code).toBe(1);
      expect((await own.container.exec([...once, cidr.split("/")[0]!])).code).toBe(1);
      await must(["ip", "-n", there.namespace, "route", "del", "10.40.0.0/16"]);
      await must(["ip", "-n", there.namespace, "addr", "add", "10.40.200.1/16", "dev", device]);
      await own.container.pings("10.40.200.1");
      await there.pings(own.ip);
      expect((await flat.container.exec([...once, own.ip])).code).not.toBe(0);
    });
  });
}
