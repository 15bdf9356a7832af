import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { WeaveError } from "../../lib/base/errors.ts";
import { bundleFrom } from "../../lib/cli/bundle-file.ts";
import { makeBundle } from "../../lib/incident/make-bundle.ts";
import { exampleParts } from "./example.ts";

const text = JSON.stringify(makeBundle(exampleParts(), { secrets: [], redact: [] }));
const file = gzipSync(text);

function codeOf(bytes: Uint8Array | string): string {
  try {
    bundleFrom(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
    return "";
  } catch (error) {
    if (error instanceof WeaveError && error.remedy !== undefined) return error.code;
    throw error;
  }
}

describe("reading a bundle", () => {
  test("takes it compressed or not, with members that nobody knows", () => {
    expect(codeOf(file)).toBe("");
    expect(codeOf(text)).toBe("");
    expect(codeOf(text.replace("{", '{"later":{"a":1},'))).toBe("");
  });

  test("says of every part of one that it is cut off", () => {
    for (let length = 20; length < file.length; length += 7) {
      expect(codeOf(file.subarray(0, length))).toBe("BUNDLE_CUT");
    }
    for (let length = 40; length < text.length; length += 97) {
      expect(codeOf(text.slice(0, length))).toBe("BUNDLE_CUT");
    }
  });

  test.each([
    ["nothing", "", "BUNDLE_FOREIGN"],
    ["a text", "weave", "BUNDLE_FOREIGN"],
    ["another document", '{"schema":"weave/status/1"}', "BUNDLE_FOREIGN"],
    ["a list", "[]", "BUNDLE_FOREIGN"],
    ["a later format", '{"schema":"weave/incident/2"}', "BUNDLE_VERSION"],
    ["a number beyond all", '{"schema":"weave/incident/99999999999"}', "BUNDLE_FOREIGN"],
    ["no more than a head", '{"schema":"weave/incident/1"}', "BUNDLE_INVALID"],
    ["a wrong type", text.replace('"PeerDiscovery":true', '"PeerDiscovery":1'), "BUNDLE_INVALID"],
    ["other octets", gzipSync("weave").subarray(0, 9), "BUNDLE_CUT"],
  ])("refuses %s", (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  test("refuses what is huge before it is unpacked, and what becomes huge", () => {
    expect(codeOf(new Uint8Array((16 << 20) + 1))).toBe("BUNDLE_SIZE");
    expect(codeOf(gzipSync(new Uint8Array(64 << 20)))).toBe("BUNDLE_SIZE");
  });

  test("never fails in another way, whatever is changed in the file or in the text", () => {
    const places = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(places, fc.boolean(), (changes, isPacked) => {
        const bytes = isPacked ? Uint8Array.from(file) : new TextEncoder().encode(text);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        expect(codeOf(bytes)).toMatch(/^(|BUNDLE_(CUT|FOREIGN|INVALID|VERSION|SIZE))$/);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
