import { expect, test } from "bun:test";
import { controlApp } from "../../lib/api/app.ts";
import { SimCluster } from "../sim/cluster.ts";
import { ask, TestRouter } from "./test-router.ts";

test("what holds packet filter rules is in the report, and in status where it is more than nftables", async () => {
  const cluster = new SimCluster(1);
  const router = new TestRouter(cluster.start(1, []));
  const app = controlApp(router);
  const status = async (): Promise<string> => (await ask(app, "GET", "/status")).body;
  const format = encodeURIComponent("{{json .Router.Firewall}}");
  router.firewall = ["nftables"];
  expect(await status()).not.toContain("Firewall");
  expect((await ask(app, "GET", `/report?format=${format}`)).body).toBe('["nftables"]');
  router.firewall = ["nftables", "iptables (legacy)"];
  expect(await status()).toContain("\n       Firewall: nftables, iptables (legacy)\n");
  router.firewall = [];
  expect(await status()).toContain("\n       Firewall: none\n");
});
