import { describe, expect, test } from "bun:test";
import { WeaveError } from "../../lib/base/errors.ts";
import { openIncident, refusalText } from "../../lib/ui/playground/open-incident.ts";

describe("a file that the simulator in a page does not replay", () => {
  test("is told why, and what to do where that is known", async () => {
    const refusal = await openIncident(new File(["weave"], "a.json")).catch(refusalText);
    expect(refusal).toBe(
      "this is no bundle of weave: give a file that 'weave report --bundle' has written",
    );
    expect(refusalText(new WeaveError("X", "it cannot be"))).toBe("it cannot be");
    expect(refusalText(new Error("read failed"))).toBe("read failed");
  });
});
