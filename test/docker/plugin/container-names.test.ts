import { describe, expect, test } from "bun:test";
import { containerNames } from "../../../lib/docker/plugin/container-names.ts";

const at = (ip: string, ...aliases: string[]) => ({ ip, aliases });
const id = "0123456789abcdef".repeat(4);
const named = (hostname: string, domainname = "") => ({ id, hostname, domainname, name: "web" });
const names = (...args: Parameters<typeof containerNames>) =>
  containerNames(...args).map(({ fqdn, address }) => `${fqdn} ${address}`);

describe("a container of Docker's networks", () => {
  test("is known by its own name, and by its host name in the cluster's domain", () => {
    expect(names(named("c1", "weave.local"), [at("10.32.0.2")], "weave.local.")).toEqual([
      "c1.weave.local 10.32.0.2",
      "web.weave.local 10.32.0.2",
    ]);
    // Newer engines leave the whole name in one piece.
    expect(names(named("c1.weave.local"), [at("10.32.0.2")], "weave.local.")).toEqual([
      "c1.weave.local 10.32.0.2",
      "web.weave.local 10.32.0.2",
    ]);
  });

  test("keeps a host name of another domain, or of none, to itself", () => {
    for (const foreign of [named("0123456789ab"), named("c1", "example.org")]) {
      expect(names(foreign, [at("10.32.0.2")], "weave.local.")).toEqual([
        "web.weave.local 10.32.0.2",
      ]);
    }
  });

  test("is known by its aliases of each network, at its address there, and by each once", () => {
    const two = [at("10.32.0.2", "db", "web", id.slice(0, 12)), at("10.50.0.2", "cache")];
    expect(names(named("x"), two, "my.domain.")).toEqual([
      "web.my.domain 10.32.0.2",
      "db.my.domain 10.32.0.2",
      "web.my.domain 10.50.0.2",
      "cache.my.domain 10.50.0.2",
    ]);
  });
});
