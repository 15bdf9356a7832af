import { describe, expect, test } from "bun:test";
import { pluginConfig } from "../../build/plugin.ts";
import { findCommand } from "../../lib/cli/command-table.ts";
import { managedPluginWords } from "../../lib/cli/managed-plugin.ts";
import { parseWords } from "../../lib/cli/parse.ts";

const none = { hasFormerDatabase: false };

describe("the managed plugin", () => {
  test("is launched with what 'docker plugin set' has said", () => {
    const environment = {
      ...{ LOG_LEVEL: "debug", IPALLOC_RANGE: "10.2.0.0/16", WEAVE_MULTICAST: "1" },
      ...{ WEAVE_STATUS_ADDR: "", EXTRA_ARGS: "  --no-fastdp --port=7000 ", WEAVE_MTU: "1300" },
      WEAVE_PASSWORD: "secret of all the hosts",
    };
    const [name = "", ...words] = managedPluginWords(environment, none);
    const { flags, notes } = parseWords(findCommand(name)!, words, environment);
    expect(notes).toEqual([]);
    const switches = ["foreground", "plugin-v2", "plugin-v2-multicast", "no-dns", "resume"];
    expect(switches.filter((flag) => !flags.enabled(flag))).toEqual([]);
    expect(flags.enabled("no-fastdp")).toBe(true);
    const values = ["log-level", "ipalloc-range", "status-addr", "port", "mtu", "password"];
    expect(values.map((flag) => flags.text(flag))).toEqual([
      ...["debug", "10.2.0.0/16", "0.0.0.0:6782", "7000", "1300", "secret of all the hosts"],
    ]);
    expect([flags.text("plugin-mesh-socket"), flags.text("proxy")]).toEqual(["", "false"]);
  });

  test("begins with what is left unsaid by default, and with what a former plugin knew", () => {
    const bare = managedPluginWords({ LOG_LEVEL: "", EXTRA_ARGS: "", IPALLOC_RANGE: "" }, none);
    expect(bare.filter((word) => /log-level|ipalloc|multicast|import/.test(word))).toEqual([]);
    const former = managedPluginWords({}, { hasFormerDatabase: true });
    expect(former).toContain("--import-db=/host/var/lib/weave/weavedata.db");
  });

  test("asks the host for what a router needs, and can be set as documented", () => {
    expect(pluginConfig()).toMatchObject({
      entrypoint: ["/usr/local/bin/weave", "plugin-v2"],
      interface: { types: ["docker.networkdriver/1.0"], socket: "weave.sock" },
      network: { type: "host" },
      env: [
        { name: "LOG_LEVEL", value: "info", settable: ["value"] },
        { name: "EXTRA_ARGS", value: "", settable: ["value"] },
        { name: "WEAVE_PASSWORD" },
        { name: "WEAVE_MTU" },
        { name: "WEAVE_MULTICAST" },
        { name: "IPALLOC_RANGE" },
      ],
    });
  });
});
