import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceManager } from "../../lib/daemon/service-manager.ts";
import { NotifySocket } from "./notify-socket.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-notify-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a service manager", () => {
  for (const address of [() => join(folder, "notify"), () => `@weave-notify-${process.pid}`]) {
    test(`hears how the router goes ${address().startsWith("@") ? "without" : "by"} a file`, async () => {
      using socket = new NotifySocket(address());
      const environment = { NOTIFY_SOCKET: address(), PATH: "/bin" };
      using manager = ServiceManager.take(environment)!;
      manager.ready("run 1");
      expect(await socket.next()).toBe("READY=1\nSTATUS=run 1");
      manager.stopping();
      expect(await socket.next()).toBe("STOPPING=1");
      expect(environment).toEqual({ PATH: "/bin" } as typeof environment);
    });
  }

  test("hears again and again that it moves, if it wants to", async () => {
    using socket = new NotifySocket(join(folder, "notify"));
    using _ = ServiceManager.take({
      NOTIFY_SOCKET: join(folder, "notify"),
      WATCHDOG_USEC: "20000",
    });
    for (let time = 0; time < 3; time++) expect(await socket.next()).toBe("WATCHDOG=1");
  });

  test("that has gone away disturbs nobody, and one that there never was has nobody told", () => {
    const socket = new NotifySocket(join(folder, "notify"));
    using manager = ServiceManager.take({ NOTIFY_SOCKET: join(folder, "notify") })!;
    socket[Symbol.dispose]();
    manager.stopping();
    expect(ServiceManager.take({})).toBeUndefined();
  });
});
