import { expect, test } from "bun:test";
import { parseIpv4 } from "../../lib/base/ip.ts";
import { Ping } from "../../lib/host/ping.ts";

test("a ping is answered by this machine, several times in a row", () => {
  using ping = new Ping(parseIpv4("127.0.0.1"));
  for (let round = 0; round < 3; round++) {
    expect(ping.roundTripMs(1000)).toBeGreaterThan(0);
  }
});

test("a ping to where nobody is ends after its wait", () => {
  using ping = new Ping(parseIpv4("127.0.0.1"));
  expect(ping.roundTripMs(0)).toBeUndefined();
});
