import { describe, expect, test } from "bun:test";
import { type PeerName, parsePeerName } from "../../../lib/base/peer-name.ts";
import type { RoutesSnapshot } from "../../../lib/base/routes-snapshot.ts";
import { Estate } from "../../../lib/host/dataplane/bequest.ts";
import type { Command } from "../../../lib/host/dataplane/protocol.ts";

const [a, b, c] = ["01", "02", "03"].map((octet) => parsePeerName(`00:00:00:00:00:${octet}`)) as [
  PeerName,
  PeerName,
  PeerName,
];

function prepare(link: number, remote: PeerName): Command {
  const addresses = { localIp: 1, remoteIp: 2, remotePort: 6783, key: undefined };
  const parameters = { remote, connectionUid: 7n, outbound: true, ...addresses };
  return { kind: "prepare", link, parameters };
}

function routes(...links: [PeerName, PeerName][]): RoutesSnapshot {
  const peers = [a, b, c].map((name) => ({ name, nickname: "", shortId: undefined }));
  return { peers, links };
}

function estate() {
  const stopped: number[] = [];
  const applied: RoutesSnapshot[] = [];
  const commands = [prepare(4, b), prepare(9, c), { kind: "confirm", link: 4 } as const];
  const bequest = { commands, routes: routes([a, b], [a, c]), residents: [] };
  const left = new Estate(a, bequest, {
    stop: (link) => stopped.push(link),
    routes: (held) => applied.push(held),
  });
  return { left, stopped, applied };
}

describe("what a data plane has of a former process", () => {
  test("are links, each until its peer has another one", () => {
    const { left, stopped } = estate();
    expect(left.lastLink).toBe(9);
    left.confirmed(b);
    left.confirmed(b);
    left.confirmed(undefined);
    left.confirmed(a);
    expect(stopped).toEqual([4]);
    left.confirmed(c);
    expect(stopped).toEqual([4, 9]);
    left.end();
  });

  test("are routes, until the new ones lead to all peers that they lead to", () => {
    const { left } = estate();
    expect(left.leadsFurther(routes())).toBe(true);
    expect(left.leadsFurther(routes([a, b]))).toBe(true);
    expect(left.leadsFurther(routes([a, b], [b, c]))).toBe(false);
    // From then on the new ones count, whatever they say.
    expect(left.leadsFurther(routes())).toBe(false);
    left.end();
  });
});
