import { afterAll, beforeAll, expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExecutable } from "../../build/build.ts";
import { type GuestKernel, type GuestOptions, runInGuest } from "./guest.ts";

/** A guest shares processors with whatever else the machine does, and may have one only. */
const slowness = 4;
const testMaxMs = 120_000 * slowness;
const guestMaxMs = 280_000 * slowness;

type Passes = (words: readonly string[], options?: GuestOptions) => Promise<void>;

/**
 * How a file of tests on this kernel runs them: each boots a guest that runs tests of its own with
 * `bun test`, whose words follow; what they print is shown when one fails. The guests run the
 * executable, as users have it: it starts much sooner than from its sources.
 */
export function passesOn(kernel: GuestKernel): Passes {
  const folder = mkdtempSync(join(tmpdir(), "weave-kernels-"));
  let executable = process.env.WEAVE_BINARY;

  beforeAll(async () => {
    await kernel.fetch();
    executable ??= (await buildExecutable(join(folder, "weave"))).path;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  return async (words, options) => {
    const command = [process.execPath, "test", "--timeout", `${testMaxMs}`, ...words];
    const own = { WEAVE_TEST_SLOWNESS: `${slowness}`, WEAVE_BINARY: executable! };
    const env = { ...own, ...options?.env };
    const how = { waitMs: guestMaxMs, ...options, env };
    const { code, output } = await runInGuest(kernel, command, how);
    if (code !== 0) throw new Error(`in the guest: ${code ?? "cut off"}\n${output}`);
    expect(output).toMatch(/\n\s+[1-9]\d* pass\n/);
    expect(output).toMatch(/\n\s+0 fail\n/);
  };
}
