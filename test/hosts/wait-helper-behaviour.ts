import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Machine } from "../../lib/docker/wait-helper/elf.ts";
import type { Lab } from "./lab.ts";
import { run } from "./shell.ts";
import { type BareRoot, bareRoot, commandText, WaitingHelper } from "./waiting-helper.ts";

const waitingText = /^weave: waiting for the weave router to attach this container\.\.\.\n/;

/**
 * What the wait helper does on any processor. @param emulator of the processor, if it is another one
 */
export function describeWaitHelper(lab: () => Lab, machine: Machine, emulator?: string): void {
  const root = (): BareRoot => bareRoot(join(lab().folder, `root-${machine}`), machine, emulator);
  const impatient = (suffix: string, variant: "route" | "interface") =>
    WaitingHelper.start(lab(), suffix, root(), variant);

  test("becomes the command in a root where there is nothing else", async () => {
    const { code, stderr } = await run(root().words("nothing"));
    expect({ code, stderr }).toEqual({ code: 1, stderr: commandText });
  });

  test("waits for the interface, until it is up", async () => {
    const helper = await impatient("up", "interface");
    await helper.looksAgain();
    await helper.ip("link", "add", "ethwe", "type", "veth", "peer", "name", "other");
    await helper.looksAgain();
    await helper.ip("link", "set", "other", "up");
    await helper.looksAgain();
    await helper.ip("link", "set", "ethwe", "up");
    expect(await helper.ended()).toBe(1);
    expect(helper.said).toMatch(waitingText);
    expect(helper.said).toEndWith(commandText);
  });

  test("waits for all multicast groups to be routed, among many routes", async () => {
    const helper = await impatient("route", "route");
    await helper.ip("link", "add", "ethwe", "up", "type", "veth", "peer", "name", "other");
    await helper.looksAgain();
    await helper.ip("addr", "add", "10.0.0.1/8", "dev", "ethwe");
    for (const route of ["225.0.0.0/8", "224.0.0.0/8", "240.0.0.0/4", "default"]) {
      await helper.ip("route", "add", route, "dev", "ethwe");
    }
    // More than one answer of the kernel holds.
    const many = Array.from({ length: 400 }, (_, at) => `10.${at % 256}.${at >> 8}.0/24`);
    const lines = many.map((route) => `route add ${route} dev ethwe`).join("\n");
    await helper.batch(lines);
    await helper.looksAgain();
    await helper.ip("route", "add", "224.0.0.0/4", "dev", "ethwe");
    expect(await helper.ended()).toBe(1);
    expect(helper.said).toEndWith(commandText);
  });

  for (const [signal, code] of [
    ["SIGHUP", 129],
    ["SIGINT", 130],
    ["SIGQUIT", 131],
    ["SIGTERM", 143],
  ] as const) {
    test(`ends on ${signal}, also as the first process of a container`, async () => {
      const helper = await impatient(signal.slice(3).toLowerCase(), "interface");
      await helper.looksAgain();
      helper.signal(signal);
      expect(await helper.ended()).toBe(code);
      expect(helper.said).not.toContain(commandText);
    });
  }
}
