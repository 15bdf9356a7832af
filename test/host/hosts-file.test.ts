import { describe, expect, test } from "bun:test";
import { hostsFileText, writeHostsFile } from "../../lib/host/hosts-file.ts";

describe("a container's hosts file", () => {
  test("names the container, what was added, and localhost", () => {
    const text = hostsFileText(
      { hostname: "web", fqdn: "web.weave.local" },
      ["10.32.0.1"],
      ["db:10.0.0.7"],
    );
    expect(text.split("\n").slice(0, 9)).toEqual([
      "# created by Weave - BEGIN",
      "# container hostname",
      "10.32.0.1       web.weave.local web",
      "",
      "# static names added with --add-host",
      "10.0.0.7        db",
      "",
      "# default localhost entries",
      "127.0.0.1       localhost",
    ]);
  });

  test("is never the host's own", () => {
    const container = { ident: `pid:${process.pid}`, namespacePath: `/proc/${process.pid}/ns/net` };
    expect(() => writeHostsFile(container, "")).toThrow("has no hosts file of its own");
    expect(() => writeHostsFile({ ident: "netns:/x", namespacePath: "/x" }, "")).toThrow(
      "has no hosts file of its own",
    );
  });
});
