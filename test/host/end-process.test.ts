import { describe, expect, test } from "bun:test";
import { endProcess } from "../../lib/host/end-process.ts";

describe("ending a process", () => {
  test("ends it, whatever it would rather do", async () => {
    const process = Bun.spawn(["sh", "-c", "trap '' TERM INT; echo ready; exec sleep 1000"], {
      stdout: "pipe",
    });
    await process.stdout.getReader().read();
    await endProcess(process.pid, async () => true);
    await process.exited;
    expect(process.signalCode).toBe("SIGKILL");
  });

  test("leaves it when it is not the one that was meant", async () => {
    const process = Bun.spawn(["cat"], { stdin: "pipe" });
    await endProcess(process.pid, async () => false);
    process.stdin.end();
    expect(await process.exited).toBe(0);
  });

  test("means the process that was there when it was asked, and no other after that", async () => {
    const process = Bun.spawn(["cat"], { stdin: "pipe" });
    const ending = endProcess(process.pid, async () => {
      process.stdin.end();
      await process.exited;
      return true;
    });
    await ending;
    expect(process.signalCode).toBeNull();
  });

  test("is content when there is none", async () => {
    const process = Bun.spawn(["true"]);
    await process.exited;
    let asked = false;
    await endProcess(process.pid, async () => {
      asked = true;
      return true;
    });
    expect(asked).toBe(false);
  });
});
