import { afterEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { makeScene } from "../../lib/cli/demo/scene.ts";
import { strikeStage } from "../../lib/cli/demo/stage.ts";
import { namedNamespaces } from "../../lib/host/netns.ts";
import { weaveCommand } from "./lab.ts";
import { linesOf } from "./traffic.ts";

const timeoutMs = 60_000;

const scene = makeScene("wc-demo");
afterEach(() => strikeStage(scene));

function start(...flags: string[]) {
  return Bun.spawn([...weaveCommand(), "demo", "--name", scene.name, ...flags], {
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function weave(environment: Record<string, string>, ...words: string[]): Promise<string> {
  const child = Bun.spawn([...weaveCommand(), ...words], {
    env: { ...process.env, ...environment },
    stdout: "pipe",
  });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return text;
}

function remains(): string[] {
  const names = namedNamespaces()
    .map((namespace) => namespace.name)
    .filter((name) => name.startsWith(`${scene.name}-`));
  return existsSync(scene.folder) ? [...names, scene.folder] : names;
}

describe("weave demo", () => {
  test(
    "shows routers meet, a ping and a page by name, status, and leaves nothing",
    async () => {
      const child = start();
      const [text, errors] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      expect(errors).toBe("");
      expect(await child.exited).toBe(0);
      expect(text).toMatch(/host1: established (sleeve|fastdp) 8a:3e:3e:3e:3e:02\(host2\)/);
      expect(text).toMatch(/db\.weave\.local \(10\.\d+\.\d+\.\d+\): seq=3 time=/);
      expect(text).toContain("Hello from the container web on host1");
      expect(text).toMatch(/Connections: 1 \(1 established\)/);
      expect(text).toContain("Everything is removed again.");
      expect(remains()).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "interrupted in the middle, cleans up and says so",
    async () => {
      const child = start();
      let text = "";
      for await (const line of linesOf(child.stdout)) {
        text += `${line}\n`;
        if (line.includes("The routers meet")) child.kill("SIGINT");
      }
      expect(await child.exited).toBe(130);
      expect(text).toContain("Interrupted; cleaning up.");
      expect(remains()).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "--keep leaves a network to play with, --remove removes it",
    async () => {
      const child = start("--keep");
      const text = await new Response(child.stdout).text();
      expect(await child.exited).toBe(0);
      expect(text).toContain("weave demo --remove --name wc-demo");
      const addresses = await weave(scene.host2.environment, "dns-lookup", "web");
      expect(addresses).toMatch(/^10\.\d+\.\d+\.\d+\n$/);
      expect(await start("--remove").exited).toBe(0);
      expect(remains()).toEqual([]);
    },
    timeoutMs,
  );
});
