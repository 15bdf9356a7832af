import { expect, test } from "bun:test";
import { WeaveError } from "../../lib/base/errors.ts";
import { failedAnswer, restOfAnswer } from "../../lib/daemon/router-answer.ts";

test("a router that is ready tells its run, and one that is warm tells nothing else", () => {
  expect(restOfAnswer("ready 12ab", "ready")).toBe("12ab");
  expect(restOfAnswer("warm", "warm")).toBe("");
});

test("a router that ends without a word, or says something else, has not answered", () => {
  expect(restOfAnswer("", "ready")).toBeUndefined();
  expect(restOfAnswer("warm", "ready")).toBeUndefined();
});

test("what a router fails with is what its starter fails with", () => {
  const error = new WeaveError("PORT_TAKEN", "the port is taken", { remedy: "free it" });
  expect(() => restOfAnswer(failedAnswer(error), "ready")).toThrow(
    expect.objectContaining({
      code: "PORT_TAKEN",
      message: "the port is taken",
      remedy: "free it",
    }),
  );
});
