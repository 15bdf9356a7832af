import { beforeEach, describe, expect, test } from "bun:test";
import type { LinkTraffic } from "../../../lib/base/overlay.ts";
import { TrafficMeter } from "../../../lib/overlay/fastdp/traffic-meter.ts";

const counts = new Map<number, LinkTraffic>();
let meter: TrafficMeter;

function counted(shortId: number, packets: number): void {
  const [sentBytes, receivedBytes] = [100 * packets, 1000 * packets];
  const received = { receivedPackets: packets, receivedBytes };
  counts.set(shortId, { sentPackets: packets, sentBytes, ...received });
}

beforeEach(() => {
  counts.clear();
  meter = new TrafficMeter((shortId) => counts.get(shortId));
});

describe("what a link has carried", () => {
  test("is nothing at first, whatever its neighbour's frames counted before", () => {
    counted(7, 40);
    expect(meter.look(7)).toMatchObject({ sentPackets: 0, receivedBytes: 0 });
    counted(7, 42);
    const traffic = { sentPackets: 2, sentBytes: 200, receivedPackets: 2, receivedBytes: 2000 };
    expect(meter.look(7)).toEqual(traffic);
    expect(meter.look(7)).toEqual(traffic);
  });

  test("goes on when the neighbour has another short id, or none for a while", () => {
    counted(7, 0);
    meter.look(7);
    counted(7, 3);
    meter.look(7);
    expect(meter.look(undefined)).toMatchObject({ sentPackets: 3 });
    counted(9, 50);
    expect(meter.look(9)).toMatchObject({ sentPackets: 3 });
    counted(9, 51);
    expect(meter.look(9)).toMatchObject({ sentPackets: 4 });
  });

  test("goes on when the datapath has begun to count anew", () => {
    counted(7, 5);
    meter.look(7);
    counted(7, 2);
    expect(meter.look(7)).toMatchObject({ sentPackets: 2, sentBytes: 200 });
  });

  test("is not known where nothing counts", () => {
    expect(meter.look(7)).toBeUndefined();
    expect(meter.look(undefined)).toBeUndefined();
  });
});
