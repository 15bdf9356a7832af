import { afterAll, beforeAll, describe } from "bun:test";
import { Lab } from "../hosts/lab.ts";
import { describeWaitHelper } from "../hosts/wait-helper-behaviour.ts";

describe("the wait helper for arm64, on a processor that is emulated", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.onSwitch("wha", 0);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  describeWaitHelper(() => lab, "arm64", Bun.which("qemu-aarch64-static") ?? "");
});
