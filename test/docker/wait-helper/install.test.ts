import { afterAll, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installWaitHelper } from "../../../lib/docker/wait-helper/install.ts";

const root = mkdtempSync(join(tmpdir(), "weave-helper-"));
const folders = {
  dir: join(root, "w"),
  noMulticastDir: join(root, "w-nomcast"),
  noopDir: join(root, "w-noop"),
};
const mode = (path: string) => statSync(path).mode & 0o7777;

beforeEach(() => {
  for (const folder of Object.values(folders)) rmSync(folder, { recursive: true, force: true });
});

afterAll(() => rmSync(root, { recursive: true }));

test("the wait helper can be read and run by anybody, and written to by nobody", () => {
  installWaitHelper(folders);
  for (const folder of Object.values(folders)) {
    expect(mode(folder)).toBe(0o755);
    expect(mode(join(folder, "w"))).toBe(0o555);
    expect(readdirSync(folder)).toEqual(["w"]);
  }
});

test("each variant has a folder of its own", () => {
  installWaitHelper(folders);
  const contents = Object.values(folders).map((folder) => readFileSync(join(folder, "w")).toHex());
  expect(new Set(contents).size).toBe(3);
});

test("a wait helper that is as it should be stays, another is replaced", () => {
  installWaitHelper(folders);
  const path = join(folders.dir, "w");
  const [octets, { ino }] = [readFileSync(path), statSync(path)];
  chmodSync(path, 0o700);
  installWaitHelper(folders);
  expect(statSync(path).ino).toBe(ino);
  expect(mode(path)).toBe(0o555);
  chmodSync(path, 0o755);
  writeFileSync(path, "of another release");
  installWaitHelper(folders);
  expect(readFileSync(path)).toEqual(octets);
  expect(statSync(path).ino).not.toBe(ino);
});

test("a state folder that cannot be written to is said", () => {
  writeFileSync(folders.dir, "in the way");
  expect(() => installWaitHelper(folders)).toThrow("cannot put the wait helper at");
});
