import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { policyWays } from "../../lib/api/policy-models.ts";
import { Alone } from "./test-router.ts";

const webToDb = {
  ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  metadata: { name: "web-to-db" },
  spec: {
    podSelector: { matchLabels: { app: "db" } },
    ingress: [
      {
        from: [{ podSelector: { matchLabels: { app: "web" } } }],
        ports: [{ port: 5432 }],
      },
    ],
  },
};

describe("GET /policy/ways", () => {
  test("tells for all ports, there and back, which rule decides", async () => {
    const alone = new Alone();
    const { attached, policyService } = alone.router;
    for (const [app, address] of [
      ["web", "10.32.0.1"],
      ["db", "10.32.0.2"],
    ] as const) {
      attached.set(app, [`${address}/12`]);
      policyService.pods.learn({ ident: app, labels: { app } }, 1);
    }
    await alone.ask("POST", "/policy/apply", { json: { documents: [webToDb] } });
    const { status, body } = await alone.ask("GET", "/policy/ways?from=10.32.0.1&to=default/db");
    expect(status).toBe(200);
    const { ways } = v.parse(v.strictObject(policyWays.entries), JSON.parse(body));
    expect(ways.map(({ from, to, complete }) => [from, to, complete])).toEqual([
      ["default/web", "default/db", true],
      ["default/db", "default/web", true],
    ]);
    const [there, back] = ways;
    expect(
      there!.verdicts.map(({ allowed, spans, ingress }) => [allowed, spans[0], ingress.rule]),
    ).toEqual([
      [true, { protocol: "TCP", first: 5432, last: 5432 }, "spec.ingress[0]"],
      [false, { protocol: "TCP", first: 1, last: 5431 }, null],
    ]);
    expect(there!.verdicts[1]!.ingress.sentence).toContain("no rule of default/web-to-db allows");
    expect(back!.verdicts.map(({ allowed, spans }) => [allowed, spans.length])).toEqual([
      [true, 4],
    ]);
  });

  test("says of whom it knows nothing", async () => {
    const { status, body } = await new Alone().ask("GET", "/policy/ways?from=nobody&to=10.32.0.2");
    expect(status).toBe(404);
    expect(JSON.parse(body)).toMatchObject({ code: "POLICY_PLACE" });
  });
});
