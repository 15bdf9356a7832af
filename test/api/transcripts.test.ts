import { describe, expect, test } from "bun:test";
import { formatIp } from "../../lib/base/ip.ts";
import { simName } from "../sim/mesh-peer.ts";
import dnsRecording from "../vectors/dns/http_api.json";
import ipamRecording from "../vectors/ipam/http_api.json";
import { Alone, type Answer, isAnswered } from "./test-router.ts";

/** One recorded request to the original and its answer. */
interface Exchange {
  readonly description: string;
  readonly method: string;
  readonly path: string;
  readonly form?: string;
  readonly header?: string;
  readonly status: number;
  readonly body: string;
  readonly content_type?: string;
  readonly location?: string;
  readonly blocked?: boolean;
}

type Difference = Partial<Pick<Exchange, "status" | "body" | "content_type">>;

const text = "text/plain; charset=utf-8";
const range = { range: "10.2.0.0/16", rangeGiven: true, defaultSubnet: "10.2.3.0/24" };

function ask(alone: Alone, { method, path, form, header }: Exchange): Promise<Answer> {
  const [name = "", value = ""] = header?.split(": ") ?? [];
  return alone.ask(method, path, {
    ...(form !== undefined && { form }),
    ...(header !== undefined && { headers: { [name]: value } }),
  });
}

/** What is compared: everything that was recorded. */
function seen({ status, body, type, headers }: Answer) {
  return { status, body, type, location: headers.get("Location") };
}

function recorded(exchange: Exchange, difference: Difference = {}) {
  const { status, body, content_type, location } = { ...exchange, ...difference };
  return { status, body, type: content_type ?? null, location: location ?? null };
}

describe("address allocation, as recorded from the original", () => {
  const transcript: readonly Exchange[] = ipamRecording.transcript;
  const alone = new Alone({ ipalloc: { ...range, init: "" } });

  for (const exchange of transcript) {
    test(`${exchange.method} ${exchange.path}: ${exchange.description}`, async () => {
      const answer = seen(await ask(alone, exchange));
      // The order of a listing means nothing.
      if (exchange.path === "/ip") {
        expect(sorted(answer.body)).toEqual(sorted(exchange.body));
        expect({ ...answer, body: "" }).toEqual({ ...recorded(exchange), body: "" });
      } else {
        expect(answer).toEqual(recorded(exchange));
      }
    });
  }

  function sorted(json: string) {
    const { owned } = JSON.parse(json) as { owned: { containerid: string }[] };
    return owned.sort((a, b) => a.containerid.localeCompare(b.containerid));
  }
});

describe("requests without a ring, as recorded from the original", () => {
  const waiting: readonly Exchange[] = ipamRecording.waiting;
  const alone = new Alone({ ipalloc: { ...range, init: "consensus=2" } });
  const allocator = alone.cluster.allocatorOf(alone.router.peer);

  /** The original's `200 cancelled` looks like success to its clients: here it is none. */
  const noSuccess: Difference = { status: 409, body: "cancelled\n" };

  /** What lets go of a blocked request. */
  const release: Readonly<Record<string, () => void>> = {
    "/ip/c1": () => allocator.containerDied("c1"),
    "/ip/c2/10.2.3.9/24": () => allocator.containerDied("c2"),
    "/ring": () => alone.router.leave(),
  };

  for (const exchange of waiting) {
    test(`${exchange.method} ${exchange.path}: ${exchange.description}`, async () => {
      const answer = ask(alone, exchange);
      expect(await isAnswered(answer)).toBe(!exchange.blocked);
      if (exchange.blocked) release[exchange.path]!();
      expect(seen(await answer)).toEqual(
        recorded(exchange, exchange.body === "cancelled" ? noSuccess : {}),
      );
    });
  }
});

describe("names, as recorded from the original", () => {
  const transcript: readonly (Exchange & { live_names_after: string[] })[] =
    dnsRecording.transcript;
  const alone = new Alone();
  const isOfSix = (line: string): boolean => line.startsWith("six.weave.local.");

  const differences: Readonly<Record<string, Difference>> = {
    // The original stores 0.0.0.0, which helps nobody who looks the name up.
    "add an IPv6 address: accepted and stored as 0.0.0.0": {
      status: 400,
      body: "invalid Non-IPv4 address not supported: fd00::1\n",
      content_type: text,
    },
  };
  /** The original does not read the form, deletes all names of the address, and says nothing. */
  const formOfDelete = "delete: a form body is not read for DELETE";
  let keptByForm: string[] = [];

  for (const exchange of transcript) {
    test(`${exchange.method} ${exchange.path}: ${exchange.description}`, async () => {
      const answer = seen(await ask(alone, exchange));
      const isList = exchange.description === "list";
      const wanted = recorded(exchange, differences[exchange.description]);
      expect(answer).toEqual(isList ? { ...wanted, body: ownList(exchange.body) } : wanted);

      if (exchange.description.startsWith(formOfDelete)) keptByForm = ["c1 10.2.1.2"];
      if (exchange.description === "delete everything local") keptByForm = [];
      const live = exchange.live_names_after.filter((line) => !isOfSix(line));
      const kept = keptByForm.map((line) => `one.weave.local. ${line}`);
      expect(liveNames()).toEqual([...new Set([...kept, ...live])].sort());
    });
  }

  function liveNames(): string[] {
    return alone.cluster
      .namesOf(alone.router.peer)
      .ownNames()
      .map(({ name, ident, address }) => `${name} ${ident} ${formatIp(address)}`)
      .sort();
  }

  /** Our peer has another name, and the IPv6 name was not taken. */
  function ownList(body: string): string {
    const entries = JSON.parse(body) as { Origin: number; Hostname: string }[];
    const own = entries.filter(({ Hostname }) => !isOfSix(Hostname));
    for (const entry of own) entry.Origin = Number(simName(1));
    return `${JSON.stringify(own)}\n`;
  }
});
