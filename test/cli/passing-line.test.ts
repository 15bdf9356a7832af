import { expect, test } from "bun:test";
import { PassingLine } from "../../lib/cli/passing-line.ts";

const erase = "\r\u001b[J";

test("a line that passes is gone when another follows, and cannot take a second row", () => {
  let written = "";
  const write = (octets: string): void => {
    written += octets;
  };
  const line = new PassingLine();
  line.remove();
  expect(written).toBe("");
  line.show("waiting for host\u001b[2J", 80, write);
  line.show("waiting for something else", 12, write);
  line.show(undefined, 80, write);
  line.remove();
  expect(written).toBe(`${erase}waiting for host\ufffd[2J${erase}${erase}waiting ...${erase}`);
});
