import { afterEach, describe, expect, test } from "bun:test";
import { ovsBackend } from "../../../lib/host/datapath/ovs/ovs-backend.ts";
import { fullHeartbeatLength, writeHeartbeat } from "../../../lib/overlay/fastdp/heartbeat.ts";
import { transfer } from "../../hosts/traffic.ts";
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
    const { sentFrames, receivedFrames, floodedFrames } = one.datapath.counters();
    // Super-frames count as one.
    expect(sentFrames).toBeGreaterThan(100);
    expect(receivedFrames).toBeGreaterThan(10);
    expect(floodedFrames).toBeGreaterThan(0);
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
    expect(two.datapath.counters().relayedFrames).toBeGreaterThan(50);
    await two.container.pings(three.containerIp);
  });
});
