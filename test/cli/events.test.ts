import { describe, expect, test } from "bun:test";
import { weave } from "./command-line.ts";

const event = (id: number, text: string): object => ({
  ...{ id, at: "2026-01-02T15:04:05.678Z", kind: "link.lost", text },
  details: { peer: "7a:00:00:00:00:01", nickname: "host1", code: "X", reason: "gone" },
});

const answer = (): string =>
  `${JSON.stringify(event(1, "link to one lost"))}\n\n${JSON.stringify(event(2, "two\u001b[2J"))}\n`;

describe("weave events", () => {
  test("prints a line for each, and nothing that a terminal would obey", async () => {
    const { stdout, code } = await weave(["events"], { answer, isTerminal: true });
    expect(code).toBe(0);
    expect(stdout).toStartWith("2026-01-02 15:04:05Z  link to one lost\n2026-01-02 15:04:05Z  two");
    expect(stdout.split("\n")).toHaveLength(3);
  });

  test("prints no line that the name of a peer has made up, also into a file", async () => {
    const name = "x\n2026-01-02 15:04:05Z  container c1 is gone  [cli (root, process 1)]\u202e";
    const { stdout } = await weave(["events"], {
      answer: () => `${JSON.stringify(event(1, name))}\n`,
    });
    expect(stdout).toBe(
      "2026-01-02 15:04:05Z  x\ufffd2026-01-02 15:04:05Z  container c1 is gone  [cli (root, process 1)]\ufffd\n",
    );
  });

  test("asks for what is wanted", async () => {
    const words = ["events", "-f", "--kind", "link", "--kind=name.added", "--since"];
    const { requests } = await weave([...words, "2026-01-02T15:04:05Z"], { answer });
    expect(requests[0]).toMatchObject({
      path: ["events"],
      query: [
        ["since", "2026-01-02T15:04:05Z"],
        ["kind", "link"],
        ["kind", "name.added"],
        ["follow", "true"],
      ],
    });
  });

  test("asks for what is about a container or a peer", async () => {
    const words = ["events", "--container", "5ac1", "--peer", "host1", "--peer", "host2"];
    const { requests } = await weave(words, { answer });
    expect(requests[0]!.query).toEqual([
      ["container", "5ac1"],
      ["peer", "host1"],
      ["peer", "host2"],
    ]);
  });

  test("says who asked", async () => {
    const by = { kind: "cli", user: "alice", pid: 4711 };
    const line = `${JSON.stringify({ ...event(1, "attached c1"), by })}\n`;
    const { stdout } = await weave(["events"], { answer: () => line });
    expect(stdout).toBe("2026-01-02 15:04:05Z  attached c1  [cli (alice, process 4711)]\n");
  });

  test("counts a duration back from now", async () => {
    const backMs = 90 * 60_000;
    const earliestMs = Date.now() - backMs;
    const { requests } = await weave(["events", "--since", "1h30m"], { answer });
    const latestMs = Date.now() - backMs;
    const [, since] = requests[0]!.query![0]!;
    expect(Date.parse(since)).toBeWithin(earliestMs, latestMs + 1);
  });

  test("refuses a time that is none", async () => {
    const { code, stderr } = await weave(["events", "--since", "yesterday"], { answer });
    expect(code).not.toBe(0);
    expect(stderr).toContain('invalid duration "yesterday"');
  });

  test("prints documents for programs", async () => {
    const { stdout } = await weave(["events", "--json"], { answer });
    const documents = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(documents[0]).toEqual({ schema: "weave/event/1", ...event(1, "link to one lost") });
    expect(documents).toHaveLength(2);
  });

  test("ends well when it is interrupted", async () => {
    const { code } = await weave(["events", "-f"], {
      interrupts: AbortSignal.abort(),
      answer() {
        throw new Error("aborted");
      },
    });
    expect(code).toBe(0);
  });
});
