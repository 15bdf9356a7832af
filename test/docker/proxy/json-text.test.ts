import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { JsonObject } from "../../../lib/docker/proxy/json-text.ts";

describe("JSON that is edited", () => {
  test("keeps numbers, order, escapes and blanks of what is not touched", () => {
    const text =
      '{"MemorySwap":9007199254740993,"10":1,"2":2, "Big": [1e400, -0.0],"Text":"\\u00e9\\/","Null":null}';
    expect(String(JsonObject.parse(text).with("Added", ["<"]))).toBe(
      '{"MemorySwap":9007199254740993,"10":1,"2":2,"Big":[1e400, -0.0],"Text":"\\u00e9\\/","Null":null,"Added":["<"]}',
    );
    const changed = JsonObject.parse(text).with("Text", "x");
    expect(changed.text("MemorySwap")).toBe("9007199254740993");
  });

  test("is what it was, in every value", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (value, blanks) => {
        const text = JSON.stringify(value, null, blanks);
        const edited = JsonObject.parse(` ${text}\n`).with("Added here", 1);
        expect(JSON.parse(String(edited))).toEqual({
          ...JSON.parse(text),
          ...{ "Added here": 1 },
        });
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("is read as Go does: keys of any case, the last one, null as nothing", () => {
    const object = JsonObject.parse(
      '{"name":"a","NAME":"b","Cmd":null,"Labels":{"a":"1","A":"2"}}',
    );
    expect(object.string("Name")).toBe("b");
    expect(object.strings("Cmd")).toBeUndefined();
    expect(object.has("cmd")).toBe(true);
    expect(object.object("Labels").entry("a")).toBe("1");
    expect(object.object("Labels").entry("b")).toBe("");
    expect(String(object.with("Name", "c"))).toContain('"NAME":"c"');
  });

  test.each([
    ['{"Cmd":7}', "Cmd should be an array of strings, and is a number"],
    ['{"Cmd":["a",{}]}', "Cmd should be an array of strings, and is an array with an object"],
    ['{"Cmd":true}', "Cmd should be an array of strings, and is a boolean"],
  ])("%p is refused with the field and both types", (text, message) => {
    expect(() => JsonObject.parse(text).strings("Cmd")).toThrow(message);
  });

  test("of another type than an object, or a text, is told apart", () => {
    expect(() => JsonObject.parse("[]")).toThrow("the body should be an object, and is an array");
    expect(() => JsonObject.parse('{"H":"x"}').object("H")).toThrow(
      "H should be an object, and is a string",
    );
    expect(() => JsonObject.parse('{"H":[]}').string("H")).toThrow(
      "H should be a string, and is an array",
    );
    expect(JsonObject.parse('{"C":"ls"}').words("C")).toEqual(["ls"]);
    expect(JsonObject.parse('{"M":[1, {"a":[2]} ]}').items("M")).toEqual(["1", '{"a":[2]}']);
  });

  test.each([
    "",
    "{",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":01}',
    '{"a":1} x',
    '{"a":"\n"}',
    '{"a":"\\',
    "{a:1}",
    '{"a":tru}',
    '{"a":[1 2]}',
    `{"a":${"[".repeat(300)}`,
  ])("%p is refused", (text) => {
    expect(() => JsonObject.parse(text)).toThrow(/JSON/);
  });

  test("is taken or refused as the language's own parser does", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...'{}[]:,"\\ab1-.e0 \n', "null", "true"), { maxLength: 12 }),
        (parts) => {
          const text = `{"k":${parts.join("")}}`;
          let own: unknown;
          try {
            own = JSON.parse(text);
          } catch {
            own = undefined;
          }
          if (own === undefined) {
            expect(() => JsonObject.parse(text)).toThrow();
          } else expect(JSON.parse(String(JsonObject.parse(text)))).toEqual(own);
        },
      ),
      { seed: 1, numRuns: 3000 },
    );
  });
});
