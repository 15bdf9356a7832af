import { expect, test } from "bun:test";
import { errorText } from "../../lib/base/errors.ts";
import { formatIpv4Cidr, parseIpv4, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { parseSubnet } from "../../lib/ipam/range.ts";
import { TestPeer } from "./test-peer.ts";
import { vectors } from "./vectors.ts";

interface Exchange {
  description: string;
  method: string;
  path: string;
  form?: string;
  status: number;
  body: string;
  blocked?: boolean;
}

const { transcript, waiting } = await vectors<{ transcript: Exchange[]; waiting: Exchange[] }>(
  "http_api",
);

const defaultSubnet = parseIpv4Cidr("10.2.3.0/24");

/** The part of the routes that is the allocator's: what it is asked, and what its answer says. */
async function ask(peer: TestPeer, { method, path, form = "" }: Exchange): Promise<string> {
  const { allocator } = peer;
  const { pathname, search } = new URL(path, "http://router");
  const [, root, id = "", net, length] = pathname.split("/");
  const has = (name: string): boolean => `${search}&${form}`.includes(`${name}=true`);
  const isContainer = has("check-alive");
  if (root === "ring") return allocator.prime().then(() => "");
  if (method === "POST") {
    const subnet = net === undefined ? defaultSubnet : parseSubnet(`${net}/${length}`);
    return formatIpv4Cidr(await allocator.allocate(id, subnet, { isContainer }));
  }
  if (method === "PUT") {
    const cidr = parseIpv4Cidr(`${net}/${length}`);
    const noErrorOnUnknown = has("noErrorOnUnknown");
    return allocator.claim(id, cidr, { isContainer, noErrorOnUnknown }).then(() => "");
  }
  if (method === "DELETE") {
    if (net === undefined) allocator.delete(id);
    else allocator.free(id, parseIpv4(net));
    return "";
  }
  if (id === "") return listed(allocator.list());
  const subnet = net === undefined ? defaultSubnet : parseSubnet(`${net}/${length}`);
  return allocator.lookup(id, subnet).map(formatIpv4Cidr).join(" ");
}

function listed(list: ReturnType<TestPeer["allocator"]["list"]>): string {
  const owned = list.map(({ ident, cidrs }) => ({
    containerid: ident,
    addrs: cidrs.map(formatIpv4Cidr),
  }));
  return normalized(JSON.stringify({ owned }));
}

/** The order of a listing means nothing. */
function normalized(json: string): string {
  const { owned } = JSON.parse(json) as { owned: { containerid: string }[] };
  return JSON.stringify(owned.sort((a, b) => a.containerid.localeCompare(b.containerid)));
}

/** The text that the original would send, without the words that its routes put in front. */
function wantedText({ path, body }: Exchange): string {
  const text = body.replace(/\n$/, "").replace(/^Unable to (claim|free): /, "");
  return path === "/ip" ? normalized(text) : text;
}

test("the recorded session with the control API has the same answers and error texts", async () => {
  const peer = new TestPeer({ name: "::1", universe: "10.2.0.0/16", init: "seed=::1" });
  const isOurs = ({ path, status }: Exchange): boolean =>
    /^\/(ip|ring)(\/|\?|$)/.test(path) && ![404, 405, 301].includes(status);
  for (const exchange of transcript.filter(isOurs)) {
    const answer = await ask(peer, exchange).catch((error) => errorText(error));
    expect(`${exchange.description}: ${answer}`).toBe(
      `${exchange.description}: ${wantedText(exchange)}`,
    );
  }
});

test("without a ring, requests wait or answer at once as recorded", async () => {
  const peer = new TestPeer({ name: "::1", universe: "10.2.0.0/16", init: "consensus=3" });
  const answers: (string | undefined)[] = [];
  const asked = waiting.map((exchange, index) => async () => {
    const answer = ask(peer, exchange).catch((error) => errorText(error));
    void answer.then((text) => {
      answers[index] = text;
    });
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  });
  for (const [index, exchange] of waiting.entries()) {
    if (exchange.description.startsWith("after shutdown")) peer.allocator.shutdown();
    await asked[index]!();
    expect(answers[index] !== undefined).toBe(!exchange.blocked);
    const ident = exchange.path.split("/")[2];
    if (exchange.description.includes("container death")) peer.allocator.containerDied(ident!);
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  }
  const wanted = waiting.map((exchange) =>
    exchange.path === "/ring" ? "cancelled" : wantedText(exchange),
  );
  expect(answers as string[]).toEqual(wanted);
});
