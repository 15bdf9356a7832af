import { describe, expect, test } from "bun:test";
import { shellNames, TypedShell } from "./typed-shell.ts";

/** What is typed, tabs included, and with which words weave is called then. */
const lines: [typed: string, called: string | RegExp][] = [
  ["weave det\tnetns:b\t", "detach netns:blue"],
  ["weave status conn\t", "status connections"],
  ["weave launch --log-l\twarn\t", /^launch --log-level[ =]warning$/],
  ["weave launch --password-file /etc/hostn\t", "launch --password-file /etc/hostname"],
  ["weave connect 10\t", "connect 10.0.0.2:6783"],
  ["weave rmpeer host-t\t", "rmpeer host-two"],
  ["weave attach --without-d\tnetns:g\t", "attach --without-dns netns:green"],
  ["weave expose -h we\t", "expose -h web.weave.local"],
  ["weave why netns:b\thost-o\t", "why netns:blue host-one"],
  ["weave dns-lookup w\t--j\t", "dns-lookup web.weave.local --json"],
  ["weave help dns-l\t", "help dns-lookup"],
  ["weave --v\t", "--version"],
];

describe("the tab key, on a terminal,", () => {
  for (const name of shellNames) {
    test(`completes commands, flags and what the router knows in ${name}`, async () => {
      await using shell = new TypedShell(name);
      for (const [typed, called] of lines) {
        const words = await shell.calls(typed);
        if (typeof called === "string") expect(words).toBe(called);
        else expect(words).toMatch(called);
      }
      // What a peer calls itself is a word, and never a command.
      expect(await shell.calls("weave rmpeer ev\t")).toBe("rmpeer evil$(touch evil); touch evil");
      expect(shell.hasMade("evil")).toBe(false);
    });
  }
});
