import { describe, expect, test } from "bun:test";
import { Alone } from "./test-router.ts";

describe("GET /report/bundle", () => {
  test("passes on what is to be redacted, and refuses what cannot be", async () => {
    const { app } = new Alone();
    const bundle = await app.request("/report/bundle?redact=names&redact=addresses");
    expect(await bundle.json()).toMatchObject({
      schema: "weave/incident/1",
      removed: { redacted: ["names", "addresses"] },
    });
    const refused = await app.request("/report/bundle?redact=all");
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ code: "QUERY_INVALID" });
  });
});
