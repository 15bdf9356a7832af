import { expect, test } from "bun:test";
import { forTerminal } from "../../lib/cli/for-terminal.ts";

test("a terminal gets text and our colours, and nothing that it obeys", () => {
  const coloured = "\u001b[31merror\u001b[0m\n\tzürich → 東京\n";
  expect(forTerminal(coloured)).toBe(coloured);
  expect(forTerminal("a\u001b]0;title\u0007b\u001b[2J\r\u009b1A\u007f")).toBe(
    "a\ufffd]0;title\ufffdb\ufffd[2J\ufffd\ufffd1A\ufffd",
  );
});
