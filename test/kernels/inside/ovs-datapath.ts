import { describe, expect, test } from "bun:test";
import { Odp } from "../../../lib/host/datapath/ovs/odp.ts";
import { ovsBackend } from "../../../lib/host/datapath/ovs/ovs-backend.ts";
import { type DatapathHost, DatapathLab } from "../../host/datapath/datapath-lab.ts";
import { behavesAsDatapath, counted } from "../../host/datapath/scenarios.ts";
import { must } from "../../hosts/shell.ts";

const make = (count: number) => DatapathLab.make("kd", count, ovsBackend);

behavesAsDatapath(ovsBackend, "kd");

describe("somebody who removes the datapath", () => {
  test("is made good for", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as readonly [DatapathHost, DatapathHost];
    lab.mesh();
    await one.container.pings(two.containerIp);
    one.inside(() => {
      using odp = new Odp();
      odp.deleteDatapath(odp.findDatapath("datapath")!);
    });
    await must(["ip", "-n", one.host.namespace, "link", "del", "vethwe-bridge"]);
    expect(one.inside(() => one.datapath.mend(one.bridge)).join("; ")).toMatch(
      /^made datapath datapath; made vethwe-datapath and vethwe-bridge; /,
    );
    expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([]);
    await one.container.pings(two.containerIp);
  });
});

describe("tagged frames", () => {
  test("have flows of their own, one for all tags", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as readonly [DatapathHost, DatapathHost];
    lab.mesh();
    for (const [at, { container }] of [one, two].entries()) {
      for (const tag of [7, 9]) {
        const device = `eth0.${tag}`;
        const ip = ["ip", "-n", container.namespace];
        const kind = ["type", "vlan", "id", String(tag)];
        await must([...ip, "link", "add", "link", "eth0", "name", device, ...kind]);
        await must([...ip, "link", "set", device, "up"]);
        await must([...ip, "addr", "add", `10.${tag}.0.${at + 1}/24`, "dev", device]);
      }
    }
    await one.container.pings("10.7.0.2");
    const before = one.datapath.counters();
    const ping = ["ping", "-c", "200", "-i", "0.002", "-q", "10.7.0.2"];
    expect((await one.container.exec(ping)).code).toBe(0);
    await one.container.pings("10.9.0.2");
    await counted(() => one.datapath.counters().sentFrames - before.sentFrames, 200);
    const flows = one.inside(() => {
      using odp = new Odp();
      return odp.flows(odp.findDatapath("datapath")!);
    });
    const tagged = flows.filter(({ match }) => match.vlanType === 0x8100);
    expect(tagged.some(({ packets }) => packets > 150)).toBe(true);
  });
});
