import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Lab, weaveCommand } from "./lab.ts";
import { eventually } from "./shell.ts";

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.onSwitch("tm", 3);
  const [one, two, three] = lab.hosts;
  await one!.launch();
  await two!.launch([one!.ip]);
  await three!.launch([one!.ip]);
  await Promise.all(lab.hosts.map((host) => host.established(2)));
  await Promise.all(lab.hosts.map((host) => host.reaches(2)));
  const container = await three!.container("web");
  await three!.mustWeave(["attach", container.reference]);
  await three!.mustWeave(["dns-add", container.reference, "-h", "web.weave.local"]);
});

afterAll(() => lab?.[Symbol.asyncDispose]());

const look = { env: { LC_ALL: "C.UTF-8", COLUMNS: "90" } };

/** What a host says when it is asked again and again until it says all of this. */
function says(words: readonly string[], ...patterns: readonly RegExp[]): Promise<string> {
  return eventually(
    `${patterns.join(" and ")} of weave ${words.join(" ")}`,
    () => lab.hosts[0]!.mustWeave(words, look),
    (text) => patterns.every((pattern) => pattern.test(text)),
  );
}

describe("three hosts", () => {
  test("are on a map, with their links and containers", async () => {
    const map = await says(
      ["map", "--containers"],
      /● host1 {2}this host ─+┬─+┐\n *│ sleeve [\d.]+ m?s +│ sleeve /,
      /● host3 ─+┴─+┘\n {4}web {2}10\.\d+/,
    );
    expect(map).toStartWith("3 hosts, 3 links, 1 container, in clear\n");
  });

  test("are in what weave top shows, and so is traffic", async () => {
    const [one, , three] = lab.hosts;
    const exposed = await one!.mustWeave(["expose"]);
    const address = (await three!.mustWeave(["ps", "netns:tm-web"])).split(" ")[2]!.split("/")[0]!;
    expect(exposed).not.toBe("");
    const pings = Bun.spawn(
      ["nsenter", `--net=/run/netns/${one!.namespace}`, "ping", "-qi", "0.02", address],
      { stdout: "ignore" },
    );
    try {
      const top = await says(
        ["top", "--once", "--interval", "500ms"],
        /host3 +established +sleeve .* [1-9][\d.]* k?B\/s/,
        /\nweb +10\./,
      );
      expect(top).toStartWith("weave host1  00:00:00:00:00:01");
      expect(top).toMatch(/3 peers, 2\/2 links/);
      expect(top).toMatch(/link\.established +link to 00:00:00:00:00:03\(host3\) established/);
    } finally {
      pings.kill();
      await pings.exited;
    }
  });

  test("of which one goes and comes back are watched at it", async () => {
    const [one, , three] = lab.hosts;
    const words = ["status", "connections", "--watch", "--interval", "200ms"];
    await using watcher = Bun.spawn(
      ["nsenter", `--net=/run/netns/${one!.namespace}`, ...weaveCommand(), ...words],
      { env: { ...process.env, ...one!.env }, stdout: "pipe" },
    );
    const parts = watcher.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let told = "";
    const reads = async (pattern: RegExp): Promise<void> => {
      for (told = ""; !pattern.test(told); ) told += (await parts.read()).value ?? "";
    };
    await reads(/established sleeve 00:00:00:00:00:03\(host3\)/);
    await three!.mustWeave(["stop"]);
    await reads(/Z - .* established .*\(host3\)/);
    expect(await says(["map"], /Not heard of/)).toMatch(/○ host3 {2}00:00:00:00:00:03\n/);
    await three!.launch([one!.ip]);
    await reads(/Z \+ .* established .*\(host3\)/);
    watcher.kill("SIGINT");
    expect(await watcher.exited).toBe(0);
  });
});
