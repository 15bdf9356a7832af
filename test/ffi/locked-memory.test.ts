import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const door = join(import.meta.dir, "../../ffi/locked-memory.ts");

/** In a process of its own, whose limits end with it. */
function run(...before: readonly string[]): string {
  const program = `
    import { readFileSync } from "node:fs";
    import { unlimitLockedMemory } from ${JSON.stringify(door)};
    try { unlimitLockedMemory(); } catch (error) { console.log(error.code); }
    console.log(/^Max locked memory +(\\w+)/m.exec(readFileSync("/proc/self/limits", "utf8"))[1]);`;
  const limited = ["prlimit", "--memlock=65536:65536"];
  const { stdout } = Bun.spawnSync([...limited, ...before, process.execPath, "-e", program]);
  return stdout.toString();
}

/** Containers of build machines often go without it. */
function mayLift(): boolean {
  const CAP_SYS_RESOURCE = 24n;
  const status = readFileSync("/proc/self/status", "utf8");
  const effective = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)![1]}`);
  return ((effective >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

const refused = "SYS_EPERM\n65536\n";

test("a limit of locked memory is lifted by who may do that, and by nobody else", () => {
  expect(run()).toBe(mayLift() ? "unlimited\n" : refused);
  expect(run("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource")).toBe(refused);
});
