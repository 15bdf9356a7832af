import { describe, expect, test } from "bun:test";
import { parseGoPattern } from "../../lib/base/go-pattern.ts";

const replace = (pattern: string, template: string, text: string): string =>
  parseGoPattern(pattern).replaceAll(text, template);

describe("a pattern of RE2", () => {
  test.each([
    ["(.*)", "$1", "aws-12798186823-foo", "aws-12798186823-foo"],
    ["(.*)", "x-$1", "foo", "x-foo"],
    ["^aws-[0-9]+-(.*)$", "my-app-$1", "aws-12798186823-foo", "my-app-foo"],
    ["^aws-[0-9]+-(?P<app>.*)$", "my-app-$app", "aws-1-foo", "my-app-foo"],
    ["^aws-[0-9]+-(?<app>.*)$", "$" + "{app}x", "aws-1-foo", "foox"],
    ["^aws-(.*)$", "$1x", "aws-foo", ""],
    ["^aws-(.*)$", "$1", "other", "other"],
    ["(?i)WEB", "w", "aWebwEb", "aww"],
    ["(?i:W)EB", "w", "wEB", "w"],
    ["a((?i)b)c", "x", "aBc aBC", "x aBC"],
    ["[[:digit:]]+", "n", "a12b3", "anbn"],
    ["[^[:alpha:]_-]", "", "a1_b-2", "a_b-"],
    ["\\Aab|b\\z", "x", "abab", "xax"],
    ["\\Qa.b\\E", "x", "a.b a-b", "x a-b"],
    ["\\pL+", "x", "añ1", "x1"],
    ["\\x{61}\\-", "x", "a-", "x"],
    ["x*", "-", "abc", "-a-b-c-"],
    ["b*", "-", "abc", "-a-c-"],
    ["o", "$$", "foo", "f$$"],
    ["[]a]", "x", "a]", "xx"],
    ["[^]a]", "x", "a]b", "a]x"],
    ["[[]b", "x", "[b", "x"],
  ])("%p with %p makes of %p %p", (pattern, template, text, result) => {
    expect(replace(pattern, template, text)).toBe(result);
  });

  test.each(["(", "(?=a)", "(?!a)", "(?<=a)b", "(a)\\1", "\\C", "[[:nothing:]]", "a**", "\\"])(
    "%p is refused, as RE2 does",
    (pattern) => {
      expect(() => parseGoPattern(pattern)).toThrow("is no regular expression of RE2");
    },
  );
});
