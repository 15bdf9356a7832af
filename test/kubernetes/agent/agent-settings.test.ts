import { describe, expect, test } from "bun:test";
import { findCommand } from "../../../lib/cli/command-table.ts";
import { parseWords } from "../../../lib/cli/parse.ts";
import {
  agentLaunchWords,
  agentSettings,
  type Environment,
} from "../../../lib/kubernetes/agent/agent-settings.ts";

const facts = { peers: ["10.0.0.2", "10.0.0.3"], nodes: 3, peerName: "9a:00:00:00:00:01" };

function launched(environment: Environment, extra: readonly string[] = []) {
  const words = agentLaunchWords(agentSettings(environment), environment, facts, extra);
  return parseWords(findCommand("launch")!, words, environment);
}

describe("the router of a node", () => {
  test("is launched as in pods of Weave Net 2.x when nothing is said", () => {
    const { flags, arguments: peers, notes } = launched({ HOSTNAME: "n1" });
    expect(notes).toEqual([]);
    expect(peers).toEqual(["10.0.0.2", "10.0.0.3"]);
    const values = {
      ...{ name: "9a:00:00:00:00:01", nickname: "n1", "docker-api": "", "conn-limit": "200" },
      ...{ "ipalloc-range": "10.32.0.0/12", "ipalloc-init": "consensus=3" },
      ...{ "metrics-addr": "0.0.0.0:6782", "status-addr": "", proxy: "false", plugin: "false" },
    };
    for (const [flag, value] of Object.entries(values)) expect(flags.text(flag)).toBe(value);
    const switches = ["foreground", "no-dns", "no-masq-local"];
    expect(switches.filter((flag) => !flags.enabled(flag))).toEqual([]);
    expect(flags.enabled("no-fastdp")).toBe(false);
  });

  test("does what the variables of Weave Net 2.x say", () => {
    const environment = {
      ...{ IPALLOC_RANGE: "10.9.0.0/16", IPALLOC_INIT: "seed=9a:00:00:00:00:01", CONN_LIMIT: "30" },
      ...{ WEAVE_METRICS_ADDR: "127.0.0.1:9", WEAVE_STATUS_ADDR: "0.0.0.0:6780" },
      ...{ WEAVE_MTU: "8916", WEAVE_NO_FASTDP: "1", NO_MASQ_LOCAL: "0", WEAVE_DEBUG: "1" },
      ...{ WEAVE_PASSWORD: "of all the nodes of it", WEAVE_HTTP_ADDR: "127.0.0.1:6794" },
      EXTRA_ARGS: " --trusted-subnets=10.0.0.0/8  --bufsz=16 ",
    };
    const { flags } = launched(environment);
    const values = {
      ...{ "ipalloc-range": "10.9.0.0/16", "ipalloc-init": "seed=9a:00:00:00:00:01" },
      ...{ "conn-limit": "30", "metrics-addr": "127.0.0.1:9", "status-addr": "0.0.0.0:6780" },
      ...{ mtu: "8916", "log-level": "debug", password: "of all the nodes of it" },
      ...{ "http-addr": "127.0.0.1:6794", "trusted-subnets": "10.0.0.0/8", bufsz: "16" },
    };
    for (const [flag, value] of Object.entries(values)) expect(flags.text(flag)).toBe(value);
    expect([flags.enabled("no-fastdp"), flags.enabled("no-masq-local")]).toEqual([true, false]);
  });

  test("is told last what the pod's own arguments say", () => {
    const { flags } = launched({ EXTRA_ARGS: "--conn-limit=5" }, ["--conn-limit=7", "--mtu=9000"]);
    expect([flags.text("conn-limit"), flags.text("mtu")]).toEqual(["7", "9000"]);
  });

  test("reads its password from a file that a secret is mounted as", () => {
    const { flags } = launched({ WEAVE_PASSWORD_FILE: "/run/secrets/weave/password" });
    expect(flags.text("password-file")).toBe("/run/secrets/weave/password");
  });
});

describe("the settings of a node", () => {
  test("keep what it remembers where Weave Net 2.x does, and find what that left", () => {
    expect(agentSettings({})).toMatchObject({
      ...{ stateDir: "/weavedb", formerDatabase: "/weavedb/weave-netdata.db" },
      ...{ hostRoot: "/host", policy: true, hairpin: true, isInitialised: false },
    });
    expect(agentSettings({ DB_PREFIX: "/data/net", HOST_ROOT: "/node" })).toMatchObject({
      ...{ stateDir: "/data", formerDatabase: "/data/netdata.db", hostRoot: "/node" },
    });
  });

  test("are those of the variables", () => {
    const environment = {
      ...{ HOSTNAME: "n1", KUBE_PEERS: " 10.0.0.7  10.0.0.8", EXPECT_NPC: "0" },
      ...{ WEAVE_EXPOSE_IP: "10.32.0.1/12", HAIRPIN_MODE: "false", INIT_CONTAINER: "true" },
      ...{ WEAVE_CNI_PLUGIN_DIR: "/host/home/kubernetes/bin", KUBECONFIG: "/etc/kc" },
    };
    expect(agentSettings(environment)).toMatchObject({
      ...{ nodeName: "n1", peers: ["10.0.0.7", "10.0.0.8"], policy: false, hairpin: false },
      ...{ exposeAddress: "10.32.0.1/12", isInitialised: true, kubeconfig: "/etc/kc" },
      pluginFolder: "/host/home/kubernetes/bin",
    });
  });

  test("take an empty variable for one that is not set", () => {
    const empty = { KUBE_PEERS: "", IPALLOC_INIT: "", WEAVE_EXPOSE_IP: "", IPALLOC_RANGE: "" };
    expect(agentSettings(empty)).toEqual(agentSettings({}));
  });
});
