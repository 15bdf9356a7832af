import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Lab } from "./lab.ts";
import { describeWaitHelper } from "./wait-helper-behaviour.ts";
import { bareRoot, ownMachine, WaitingHelper } from "./waiting-helper.ts";

describe("the wait helper", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.onSwitch("wht", 0);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  describeWaitHelper(() => lab, ownMachine);

  test("says again what it waits for, when it has waited for longer", async () => {
    const patience = { firstWordAfterS: 0, nextWordAfterS: 0 };
    const root = bareRoot(join(lab.folder, "root-often"), ownMachine, undefined, patience);
    const helper = await WaitingHelper.start(lab, "often", root, "interface");
    await helper.looksAgain();
    await helper.looksAgain();
    helper.signal("SIGTERM");
    await helper.ended();
    expect(helper.said.match(/waiting for the weave router/g)!.length).toBeGreaterThan(1);
  });

  test("says nothing to who does not wait for long", async () => {
    const patience = { firstWordAfterS: 600, nextWordAfterS: 600 };
    const root = bareRoot(join(lab.folder, "root-quiet"), ownMachine, undefined, patience);
    const helper = await WaitingHelper.start(lab, "quiet", root, "interface");
    await helper.looksAgain();
    helper.signal("SIGTERM");
    await helper.ended();
    expect(helper.said).toBe("");
  });
});
