import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { EngineLab } from "./engine-lab.ts";

describe("a lab with two engines", () => {
  let lab: EngineLab;
  beforeAll(async () => {
    lab = await EngineLab.start("elab", { engine: ["20.10", "28"] });
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("has the releases that it was asked for, each with its own containers and images", async () => {
    for (const host of lab.hosts) {
      const format = ["--format", "{{.Server.Version}}"];
      expect(await host.mustDocker(["version", ...format])).toStartWith(host.engine);
      expect(await host.mustDocker(["run", "--rm", "bb", "echo", "hello"])).toBe("hello");
      expect(await host.mustDocker(["run", "--rm", "bb-entry"])).toBe("entry of words");
      expect(await host.mustDocker(["ps", "-aq"])).toBe("");
    }
  });

  test("has a network between its hosts, and none between their containers", async () => {
    const [one, other] = lab.hosts;
    const ping = ["ping", "-c", "1", "-W", "2", other!.ip];
    expect((await one!.exec(ping)).code).toBe(0);
  });
});
