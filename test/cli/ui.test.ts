import { expect, test } from "bun:test";
import { requestLine, weave } from "./command-line.ts";

const url = "http://127.0.0.1:6785/#token=abc";
const answer = (): string => JSON.stringify({ url });

test("weave ui asks the router to open the page, and prints where it is", async () => {
  const { stdout, requests, code } = await weave(["ui"], { answer });
  expect([code, stdout, requests.map(requestLine)]).toEqual([0, `${url}\n`, ["POST /ui"]]);
});

test("weave ui --json prints it for programs", async () => {
  const { stdout } = await weave(["ui", "--json"], { answer });
  expect(JSON.parse(stdout)).toEqual({ schema: "weave/ui/1", url });
});

test("weave ui without a router says so", async () => {
  const { code, stdout } = await weave(["ui"]);
  expect([code, stdout]).toEqual([7, ""]);
});
