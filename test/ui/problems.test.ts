import { describe, expect, test } from "bun:test";
import type { EventModel } from "../../lib/api/event-models.ts";
import { finding } from "../../lib/diagnosis/finding.ts";
import { problemsOf } from "../../lib/ui/page/problems.ts";
import { link, some } from "./some-picture.ts";

const sketch = some({
  peers: ["alpha", "beta", "gamma"],
  containers: [
    { peer: "alpha", name: "web", addresses: ["10.32.0.1/12"] },
    { peer: "beta", name: "db", addresses: ["10.32.0.12"] },
  ],
});
const picture = {
  ...sketch,
  links: [
    link("7a:alpha", "7a:beta", { address: "192.0.2.2:6783" }),
    link("7a:alpha", "7a:gamma", { address: "192.0.2.3:6783" }),
    { ...link("7a:beta", "7a:gamma"), oneSided: false },
  ],
};
const [web, db] = picture.containers.map(({ peer, id }) => `container ${peer} ${id}`);
const nowMs = Date.UTC(2026, 0, 2);

function event(kind: string, details: Record<string, unknown>, agoMs = 1000): EventModel {
  return { id: 1, at: new Date(nowMs - agoMs).toISOString(), kind, text: `told: ${kind}`, details };
}

const lost = (peer: string, agoMs?: number) =>
  event("link.lost", { peer: `7a:${peer}`, nickname: peer, code: "X", reason: "it went" }, agoMs);

function about(code: Parameters<typeof finding>[0], word: string, sentence = "so it is") {
  return problemsOf(picture, [finding(code, word, sentence)], [], nowMs)[0]!.about;
}

describe("what a problem is about", () => {
  test("is the peer that it names, and the link to the address that it names", () => {
    expect(about("LINK_DEGRADED", "beta (7a:beta)")).toEqual(["peer 7a:beta"]);
    expect(about("POLICY_HOST_IDLE", "gamma")).toEqual(["peer 7a:gamma"]);
    expect(about("LINK_ONE_WAY", "192.0.2.3:6783")).toEqual([
      "link 7a:alpha 7a:gamma",
      "peer 7a:gamma",
    ]);
  });

  test("are the containers whose addresses it names, and no others that look alike", () => {
    const blocked =
      "blocked by policy shop/deny: a TCP connection from 10.32.0.1:4 to 10.32.0.12:80";
    expect(about("POLICY_BLOCKS", "shop/deny", blocked)).toEqual([web!, db!]);
    expect(about("ADDRESS_DOUBLE", "10.32.0.12", "somebody has 10.32.0.12.")).toEqual([db!]);
    expect(about("CONTAINER_DETACHED", picture.containers[0]!.id)).toEqual([web!]);
  });

  test("is else the host on which it was found", () => {
    expect(about("PORT_TAKEN", "port 6783")).toEqual(["peer 7a:alpha"]);
    expect(about("OWNER_GONE", "delta (00:00:00:00:00:09)")).toEqual([]);
  });
});

describe("problems", () => {
  const codes = (...given: Parameters<typeof problemsOf>): string[] =>
    problemsOf(...given).map(({ code }) => code);

  test("are the findings, the worst first", () => {
    const findings = [
      finding("POLICY_BLOCKS", "p", "a note"),
      finding("LINK_DEGRADED", "beta", "a warning"),
      finding("RING_CONFLICT", "gamma", "an error"),
    ];
    expect(codes(picture, findings, [], nowMs)).toEqual([
      ...["RING_CONFLICT", "LINK_DEGRADED", "POLICY_BLOCKS"],
    ]);
  });

  test("are links of others of which only one end hears the other", () => {
    const links = picture.links.map((each) => ({ ...each, oneSided: true }));
    const [only, ...more] = problemsOf({ ...picture, links }, [], [], nowMs);
    expect(more).toEqual([]);
    expect(only!.sentence).toContain("only one of beta and gamma");
    expect(only!.about[0]).toBe("link 7a:beta 7a:gamma");
  });

  test("are links that were lost and have not come back, for a while", () => {
    const [only] = problemsOf(picture, [], [lost("beta")], nowMs);
    expect(only).toMatchObject({ code: "link.lost", about: ["peer 7a:beta"] });
    expect(only!.sentence).toBe("the link to beta is lost: it went");
    const back = event("link.established", { peer: "7a:beta", nickname: "beta" }, 500);
    expect(codes(picture, [], [back, lost("beta")], nowMs)).toEqual([]);
    expect(codes(picture, [], [lost("beta", 11 * 60_000)], nowMs)).toEqual([]);
    const elsewhere = event("link.established", { peer: "7a:gamma", nickname: "gamma" }, 500);
    expect(codes(picture, [], [elsewhere, lost("beta")], nowMs)).toEqual(["link.lost"]);
  });

  test("are told once: not of what the doctor has found something about", () => {
    const known = finding("PEER_UNREACHABLE", "beta (7a:beta)", "no links lead to beta");
    expect(codes(picture, [known], [lost("beta")], nowMs)).toEqual(["PEER_UNREACHABLE"]);
  });

  test("are connections that policies have blocked, until the doctor names the policy", () => {
    const details = {
      ...{ policy: "shop/deny", direction: "ingress", protocol: "TCP" },
      ...{ source: "10.32.0.1", destination: "10.32.0.12", port: 80 },
    };
    const events = [event("policy.blocked", details), event("policy.blocked", details, 2000)];
    const [only, ...more] = problemsOf(picture, [], events, nowMs);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ code: "POLICY_BLOCKS", severity: "note", about: [web, db] });
    expect(only!.commands).toEqual(["weave policy explain 10.32.0.1 10.32.0.12 80/tcp"]);
    const known = finding("POLICY_BLOCKS", "shop/deny", "blocked by policy shop/deny: 2 of late");
    expect(codes(picture, [known], events, nowMs)).toEqual(["POLICY_BLOCKS"]);
  });

  test("are what a peer told and nobody could take", () => {
    const refused = { peer: "7a:gamma", channel: "IPallocation", code: "X", reason: "no" };
    expect(problemsOf(picture, [], [event("gossip.refused", refused)], nowMs)).toMatchObject([
      { sentence: "told: gossip.refused", remedy: "run 'weave doctor' on gamma" },
    ]);
  });
});
