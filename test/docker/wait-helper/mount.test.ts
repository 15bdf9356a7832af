import { expect, test } from "bun:test";
import { isWrapped, waitHelperPath } from "../../../lib/docker/wait-helper/mount.ts";

test("a container waits when the helper is the first word of its entrypoint", () => {
  expect(isWrapped([waitHelperPath])).toBe(true);
  expect(isWrapped(["/w/w", "nginx", "-g"])).toBe(true);
  expect(isWrapped(["sh", "/w/w"])).toBe(false);
  expect(isWrapped(["/w/w2"])).toBe(false);
  expect(isWrapped([])).toBe(false);
});
