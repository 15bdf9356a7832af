import { afterEach, describe, expect, test } from "bun:test";
import { ebpfBackend } from "../../../../lib/host/datapath/ebpf/ebpf-backend.ts";
import { defaultDeviceNames } from "../../../../lib/host/device-names.ts";
import { fullHeartbeatLength, writeHeartbeat } from "../../../../lib/overlay/fastdp/heartbeat.ts";
import { must } from "../../../hosts/shell.ts";
import { pingDuring, transfer } from "../../../hosts/traffic.ts";
import { type DatapathHost, DatapathLab, mtu, port } from "../../../kernels/inside/datapath-lab.ts";

let lab: DatapathLab | undefined;

afterEach(async () => {
  await lab?.[Symbol.asyncDispose]();
  lab = undefined;
});

async function make(count: number): Promise<DatapathHost[]> {
  lab = await DatapathLab.make("eb", count, ebpfBackend);
  return [...lab.hosts];
}

describe("a kernel with eBPF", () => {
  test("is found to do what is needed", () => {
    expect(ebpfBackend.refusal()).toBeUndefined();
  });

  test("carries frames between neighbours, and a heartbeat of full length", async () => {
    const [one, two] = (await make(2)) as [DatapathHost, DatapathHost];
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
      frame: heartbeat.slice(0, 24),
      length: heartbeat.length,
    });
    const { sentFrames, receivedFrames, floodedFrames } = one.datapath.counters();
    // Super-frames count as one.
    expect(sentFrames).toBeGreaterThan(100);
    expect(receivedFrames).toBeGreaterThan(10);
    expect(floodedFrames).toBeGreaterThan(0);
    const owners = one.datapath.macs().map(({ shortId }) => shortId);
    expect(owners).toEqual(expect.arrayContaining([one.id, two.id]));
  });

  test("relays in the kernel for peers that do not reach each other", async () => {
    const [one, two, three] = (await make(3)) as [DatapathHost, DatapathHost, DatapathHost];
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
