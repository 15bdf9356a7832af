import { afterEach, describe, expect, test } from "bun:test";
import { Odp } from "../../../lib/host/datapath/ovs/odp.ts";
import { ovsBackend } from "../../../lib/host/datapath/ovs/ovs-backend.ts";
import { defaultDeviceNames } from "../../../lib/host/device-names.ts";
import { fullHeartbeatLength, writeHeartbeat } from "../../../lib/overlay/fastdp/heartbeat.ts";
import { eventually, must, run } from "../../hosts/shell.ts";
import { pingDuring, transfer } from "../../hosts/traffic.ts";
import { DatapathLab, mtu, port } from "./datapath-lab.ts";

let lab: DatapathLab | undefined;

afterEach(async () => {
  await lab?.[Symbol.asyncDispose]();
  lab = undefined;
});

async function make(count: number): Promise<DatapathLab> {
  lab = await DatapathLab.make("kd", count, ovsBackend);
  return lab;
}

/** Waits until so many are counted: the kernel is asked once a second at most. */
async function counted(count: () => number, least: number): Promise<void> {
  await eventually(
    `${least} frames counted`,
    () => run(["true"]),
    () => count() >= least,
  );
}

describe("the openvswitch module", () => {
  test("is found to do what is needed", () => {
    expect(ovsBackend.refusal()).toBeUndefined();
  });

  test("carries frames between neighbours, and a heartbeat of full length", async () => {
    const { hosts } = await make(2);
    const [one, two] = hosts as [(typeof hosts)[0], (typeof hosts)[0]];
    lab!.mesh();
    await one.container.pings(two.containerIp);
    const { sent, received } = await transfer(
      one.container,
      two.container,
      two.containerIp,
      20_000_000,
    );
    expect(received).toBe(sent);
    const heartbeat = writeHeartbeat(0x1122334455667788n, fullHeartbeatLength(mtu));
    one.datapath.sendHeartbeat(two.id, heartbeat);
    await two.hears();
    expect(two.heard[0]).toMatchObject({
      source: one.id,
      destination: two.id,
      port,
      frame: heartbeat,
      length: heartbeat.length,
    });
    // Super-frames count as one.
    await counted(() => one.datapath.counters().sentFrames, 100);
    await counted(() => one.datapath.counters().receivedFrames, 10);
    expect(one.datapath.counters().floodedFrames).toBeGreaterThan(0);
    expect(
      one.datapath
        .macs()
        .map(({ shortId }) => shortId)
        .sort(),
    ).toEqual(expect.arrayContaining([one.id, two.id]));
  });

  test("relays in the kernel for peers that do not reach each other", async () => {
    const { hosts } = await make(3);
    const [one, two, three] = hosts as [(typeof hosts)[0], (typeof hosts)[0], (typeof hosts)[0]];
    lab!.line();
    await one.container.pings(three.containerIp);
    const { sent, received } = await transfer(
      one.container,
      three.container,
      three.containerIp,
      5_000_000,
    );
    expect(received).toBe(sent);
    await counted(() => two.datapath.counters().relayedFrames, 50);
    await two.container.pings(three.containerIp);
  });
});

describe("the flows of a router that is killed", () => {
  test("go on, and are taken over by the next one", async () => {
    const { hosts } = await make(2);
    const [one, two] = hosts as [(typeof hosts)[0], (typeof hosts)[0]];
    lab!.mesh();
    await one.container.pings(two.containerIp);
    const counts = await pingDuring(one.container, two.containerIp, async () => {
      await must(["sleep", "0.5"]);
      two.kill();
      await must(["sleep", "0.5"]);
      two.open();
      expect(two.datapath.adopted?.self).toBe(two.id);
      await must(["sleep", "0.5"]);
      lab!.mesh();
      await must(["sleep", "0.5"]);
      // Whatever was under way has arrived.
      await one.container.pings(two.containerIp);
    });
    expect(counts.sent).toBeGreaterThan(50);
    expect(counts.received).toBe(counts.sent);
  });
});

describe("removal", () => {
  test("leaves nothing", async () => {
    const { hosts } = await make(1);
    const [one] = hosts as [(typeof hosts)[0]];
    lab!.mesh();
    expect(one.datapath.devices()).toContain(`vxlan-${port}`);
    one.kill();
    const removed = one.inside(() => ovsBackend.remove(defaultDeviceNames));
    expect(removed).toContain("datapath");
    const left = await must(["ip", "-n", one.host.namespace, "-br", "link"]);
    expect(left.match(/^(vxlan|vethwe-|datapath|ovs)\S*/gm)).toBeNull();
  });
});

describe("somebody who removes the datapath", () => {
  test("is made good for", async () => {
    const { hosts } = await make(2);
    const [one, two] = hosts as [(typeof hosts)[0], (typeof hosts)[0]];
    lab!.mesh();
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
    const { hosts } = await make(2);
    const [one, two] = hosts as [(typeof hosts)[0], (typeof hosts)[0]];
    lab!.mesh();
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
