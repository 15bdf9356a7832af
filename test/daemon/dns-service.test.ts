import { afterEach, beforeEach, expect, test } from "bun:test";
import { parseCidr, parseIp } from "../../lib/base/ip.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { silentLog } from "../../lib/base/world.ts";
import { DnsService } from "../../lib/daemon/dns-service.ts";
import { NameTable } from "../../lib/dns/name-table.ts";
import { askUdp, queryFor } from "../host/dns-client.ts";
import { simName } from "../sim/mesh-peer.ts";
import { loneWorld } from "../sim/world.ts";

let table: NameTable;
let taken: { readonly port: number; close(): void };

beforeEach(async () => {
  const options = { self: simName(1), domain: "weave.local.", isKnownPeer: () => true };
  table = new NameTable(loneWorld().world, options);
  taken = await takePort();
});

/** A port that nobody has for TCP: others may have any number of those for connections of theirs. */
async function takePort(): Promise<typeof taken> {
  const hostname = "127.0.0.1";
  const tcp = Bun.listen({ hostname, port: 0, socket: { data() {} } });
  const udp = await Bun.udpSocket({ hostname, port: tcp.port });
  return {
    port: tcp.port,
    close() {
      tcp.stop();
      udp.close();
    },
  };
}

/** Of this process alone: the port there is that of all name servers. */
const ownAddresses = [1, 2].map(
  (number) =>
    `127.${64 * number + (process.pid >> 16)}.${(process.pid >> 8) & 255}.${process.pid & 255}`,
);

afterEach(() => {
  table.stop();
  taken.close();
});

/** weaveDNS on a host without Docker's bridge. */
function service(listenAddress: string | undefined): DnsService {
  const options = {
    ...(listenAddress === undefined ? {} : { listenAddress }),
    ...{ domain: "weave.local.", ttlSeconds: 1, fallbackTimeoutMs: 400, resolvConf: "" },
  };
  const random = seededRandom(1);
  return new DnsService(table, options, { dockerBridge: "no-such-link", log: silentLog, random });
}

test("a port that is taken is reported with the address, and the router goes on without it", async () => {
  const dns = service(`127.0.0.1:${taken.port}`);
  await dns.start();
  expect(dns.problems()).toHaveLength(1);
  expect(dns.problems()[0]).toStartWith(`weaveDNS is not at 127.0.0.1:${taken.port}: `);
  expect(dns.stats()).toEqual([]);
  await dns.stop();
});

test("addresses that are exposed one soon after the other are all served", async () => {
  const dns = service(`127.0.0.1:${taken.port}`);
  const exposed = ownAddresses.map((ip) => parseCidr(`${ip}/8`));
  await Promise.all([dns.serveExposed(exposed.slice(0, 1)), dns.serveExposed(exposed)]);
  expect(dns.problems()).toEqual([]);
  expect(dns.stats()).toHaveLength(2);
  await dns.serveExposed([]);
  expect(dns.stats()).toEqual([]);
});

test("the port that was taken is served when it can be had, and nothing is to report", async () => {
  const { port } = taken;
  taken.close();
  const dns = service(`127.0.0.1:${port}`);
  await dns.start();
  expect(dns.problems()).toEqual([]);
  table.add("one.weave.local", "c1", parseIp("10.32.0.1"));
  const { answers } = await askUdp(port, queryFor("one.weave.local"));
  expect(answers).toMatchObject([{ data: "10.32.0.1" }]);
  await dns.stop();
});

test("a host without a bridge of Docker's is no open resolver: it serves itself alone", () => {
  expect(service(undefined).listenAddress).toBe("127.0.0.1:53");
});
