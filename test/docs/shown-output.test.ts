import { describe, expect, test } from "bun:test";
import { isShown } from "./shown-output.ts";

describe("what a page shows of a command's output", () => {
  test.each([
    ["an id", "id 4f1cb2d8a7e6", "id 0123456789abcdef0123"],
    ["a peer", "8a:3e:3e:3e:3e:02(host2)", "00:00:00:00:00:07(host2)"],
    ["an address of the network", "10.32.0.1/12", "10.47.255.254/12"],
    ["a point in time", "2026-01-02T15:04:05Z up", "2030-12-31T00:00:00.123Z up"],
    ["a port of the kernel's", "<- 192.168.48.12:36434", "<- 192.168.48.12:60999"],
    ["a measure", "time=0.310 ms, 12 kB", "time=1234.5 ms, 7 kB"],
    ["blanks and empty lines", "a  b\nc", "\na b \n\nc\n"],
    ["anything in a line", "a … c", "a whatever c"],
    ["any lines", "a\n…\nc", "a\n1\n2\n3\nc"],
    ["no lines either", "a\n…", "a"],
  ])("equals what is printed but for %s", (_, shown, printed) => {
    expect(isShown(shown, printed)).toBe(true);
  });

  test.each([
    ["another word", "established fastdp", "established sleeve"],
    ["an address of a host", "192.168.48.11", "192.168.48.12"],
    ["a line more", "a", "a\nb"],
    ["a line less", "a\nb", "a"],
    ["another number", "3 received", "0 received"],
    ["a port of a service", ":6783", ":6784"],
    ["signs that mean something to patterns", "a.c", "abc"],
  ])("is told from %s", (_, shown, printed) => {
    expect(isShown(shown, printed)).toBe(false);
  });
});
