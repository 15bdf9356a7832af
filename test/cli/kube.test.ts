import { describe, expect, test } from "bun:test";
import { findCommand } from "../../lib/cli/command-table.ts";
import { kubeUtilsWords } from "../../lib/cli/kube-utils.ts";
import { podCommand } from "../../lib/cli/kube-words.ts";
import { parseWords } from "../../lib/cli/parse.ts";
import { weave } from "./command-line.ts";

describe("what pods call", () => {
  test("is 'weave kube', or what manifests of Weave Net 2.x have in its place", () => {
    expect(podCommand("weave", ["kube", "init"])).toEqual(["kube", "init"]);
    expect(podCommand("/usr/local/bin/weave", ["kube"])).toEqual(["kube"]);
    const launch = podCommand("/home/weave/launch.sh", ["--mtu=1400"]);
    expect(launch).toEqual(["kube", "run", "--mtu=1400"]);
    expect(podCommand("/home/weave/init.sh", [])).toEqual(["kube", "init", "--network"]);
    expect(podCommand("/home/weave/kube-utils", ["-print-uid"])).toEqual(["kube-utils", "uid"]);
    expect(podCommand("weave", ["kube-utils", "uid"])).toEqual(["kube-utils", "uid"]);
    expect(podCommand("weave", ["status"])).toBeUndefined();
  });

  test("takes the options of 'weave launch', and lists its own alone", async () => {
    const command = findCommand("kube")!;
    const { flags, arguments: words } = parseWords(
      ...([command, ["run", "--mtu", "9000", "10.0.0.7"], {}] as const),
    );
    expect([flags.text("mtu"), ...words]).toEqual(["9000", "run", "10.0.0.7"]);
    const { stdout } = await weave(["kube", "--help"]);
    expect(stdout).toContain("--node-name");
    expect(stdout).not.toContain("--mtu");
  });

  test("says outside of a pod what it needs", async () => {
    const outcome = await weave(["kube"]);
    expect([outcome.code, outcome.stderr]).toEqual([1, "this is no pod\n"]);
  });
});

describe("kube-utils", () => {
  const spellings: readonly (readonly [string, readonly string[]])[] = [
    ["", ["peers"]],
    [
      "-reclaim -node-name=n1 -peer-name=9a:00:00:00:00:01 -log-level=debug",
      [...["reclaim", "--node-name=n1", "--peer-name=9a:00:00:00:00:01"]],
    ],
    [
      "--check-peer-new --peer-name 9a:00:00:00:00:01",
      [...["check-peer", "--peer-name", "9a:00:00:00:00:01"]],
    ],
    ["-set-node-status", ["set-node-status"]],
    ["-set-node-status=false", ["peers"]],
    ["-run-reclaim-daemon -node-name n1", ["reclaim", "--follow", "--node-name", "n1"]],
    ["-print-uid", ["uid"]],
  ];

  test.each(spellings)("%s is understood", (given, words) => {
    expect(kubeUtilsWords(given.split(" ").filter((word) => word !== ""))).toEqual([...words]);
    // What it becomes is a command line that is taken.
    parseWords(findCommand("kube-utils")!, words, {});
  });

  test.each([
    ["-nothing", "flag provided but not defined: --nothing"],
    ["word", "does not take 'word'"],
    ["-peer-name", "flag needs an argument: --peer-name"],
    ["-print-k8s-version", "--print-k8s-version is gone"],
    ["-constructor", "flag provided but not defined: --constructor"],
  ])("%s is refused with Go's exit code", async (word, why) => {
    const outcome = await weave(["kube-utils", ...kubeUtilsWords([word])]);
    expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringContaining(why)]);
  });
});
