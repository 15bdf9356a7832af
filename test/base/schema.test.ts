import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { textsByName } from "../../lib/base/schema.ts";

describe("texts by name", () => {
  test("keep names that objects have by themselves", () => {
    const json = '{"constructor": "a", "prototype": "b", "__proto__": "c", "toString": "d"}';
    const texts = v.parse(textsByName, JSON.parse(json));
    expect(Object.entries(texts)).toEqual([
      ["constructor", "a"],
      ["prototype", "b"],
      ["__proto__", "c"],
      ["toString", "d"],
    ]);
  });

  test.each([[null], [[]], ["a"], [{ a: 1 }], [{ a: null }], [{ a: { b: "c" } }]])(
    "are not %j",
    (input) => {
      expect(v.safeParse(textsByName, input).success).toBe(false);
    },
  );
});
