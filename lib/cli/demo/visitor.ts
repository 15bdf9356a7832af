import { Resolver } from "node:dns/promises";
import { WeaveError } from "../../base/errors.ts";
import { parseIpv4 } from "../../base/ip.ts";
import { Ping } from "../../host/ping.ts";
import type { CommandHandler } from "../context.ts";

/** What the client on the stage does: it asks weaveDNS for a name and goes there. */

const pings = 3;
const pingWaitMs = 2000;

export const demoPing: CommandHandler = async ({ arguments: words, stdout }) => {
  const [dns = "", name = ""] = words;
  const address = await resolve(dns, name);
  using ping = new Ping(parseIpv4(address));
  let answered = 0;
  for (let number = 1; number <= pings; number++) {
    const ms = ping.roundTripMs(pingWaitMs);
    if (ms !== undefined) answered++;
    const result = ms === undefined ? "no answer" : `time=${ms.toFixed(2)} ms`;
    stdout.write(`${name} (${address}): seq=${number} ${result}\n`);
  }
  return answered > 0 ? 0 : 1;
};

export const demoFetch: CommandHandler = async ({ arguments: words, stdout }) => {
  const [dns = "", name = ""] = words;
  const address = await resolve(dns, name);
  stdout.write(await get(address, name));
  return 0;
};

async function resolve(dns: string, name: string): Promise<string> {
  const resolver = new Resolver();
  resolver.setServers([dns]);
  try {
    const [address] = await resolver.resolve4(name);
    if (address !== undefined) return address;
  } catch (cause) {
    throw new WeaveError("DEMO_RESOLVE", `${dns} does not know ${name}`, { cause });
  }
  throw new WeaveError("DEMO_RESOLVE", `${dns} has no address for ${name}`);
}

/** Not by `fetch`, which would go through a proxy named in the environment. */
async function get(address: string, name: string): Promise<string> {
  const { request } = await import("node:http");
  return new Promise((done, reject) => {
    const outgoing = request(
      { host: address, path: "/", headers: { Host: name }, agent: false },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => {
          text += chunk;
        });
        incoming.on("end", () => done(text));
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}
