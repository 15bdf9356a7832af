import { expect, test } from "bun:test";
import { controlApp } from "../../lib/api/app.ts";
import type { Report } from "../../lib/api/report.ts";
import { SimCluster } from "../sim/cluster.ts";
import { ask, TestRouter } from "./test-router.ts";

test("what the kernel does not do for the data plane is in the report, and in status with the reason", async () => {
  const cluster = new SimCluster(1);
  const router = new TestRouter(cluster.start(1, []));
  const app = controlApp(router);
  const status = async (): Promise<string> => (await ask(app, "GET", "/status")).body;
  const offloads = async () => {
    const headers = { Accept: "application/json" };
    const report = JSON.parse((await ask(app, "GET", "/report", { headers })).body) as Report;
    return report.Router.Offloads;
  };
  expect(await offloads()).toBeUndefined();
  router.offloads = [
    { name: "capture", missing: "" },
    { name: "send", missing: "the way out refused it: EIO" },
  ];
  expect(await offloads()).toEqual([
    { Name: "capture", Used: true, Reason: "" },
    { Name: "send", Used: false, Reason: "the way out refused it: EIO" },
  ]);
  expect(await status()).toContain(
    "\n        Offload: send is not used: the way out refused it: EIO\n",
  );
  router.offloads = [{ name: "capture", missing: "" }];
  expect(await status()).not.toContain("Offload");
});
