import { describe, expect, test } from "bun:test";
import { errorCode } from "../../lib/base/errors.ts";
import { findCommand } from "../../lib/cli/command-table.ts";
import { kubeActions } from "../../lib/cli/commands/kube.ts";
import { kubeUtilsWords } from "../../lib/cli/kube-utils.ts";
import { isKubeUtils, kubeWords } from "../../lib/cli/kube-words.ts";
import { parseWords } from "../../lib/cli/parse.ts";
import { weave } from "./command-line.ts";

describe("what pods call", () => {
  test("is 'weave kube', or what manifests of Weave Net 2.x have in its place", () => {
    expect(kubeWords("weave", ["kube", "init"])).toEqual(["init"]);
    expect(kubeWords("/usr/local/bin/weave", ["kube"])).toEqual([]);
    expect(kubeWords("/home/weave/launch.sh", ["--mtu=1400"])).toEqual(["run", "--mtu=1400"]);
    expect(kubeWords("/home/weave/init.sh", [])).toEqual(["init"]);
    expect(kubeWords("weave", ["status"])).toBeUndefined();
    expect(isKubeUtils("/home/weave/kube-utils")).toBe(true);
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
    expect(command.arguments[0]!.choices).toEqual(kubeActions);
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
      [...["check-peer", "--peer-name=9a:00:00:00:00:01"]],
    ],
    ["-set-node-status", ["set-node-status"]],
    ["-set-node-status=false", ["peers"]],
    ["-run-reclaim-daemon -node-name n1", ["reclaim", "--follow", "--node-name=n1"]],
    ["-print-uid", ["uid"]],
  ];

  test.each(spellings)("%s is understood", (given, words) => {
    expect(kubeUtilsWords(given.split(" ").filter((word) => word !== ""))).toEqual([...words]);
    // What it becomes is a command line that is taken.
    parseWords(findCommand("kube")!, words, {});
  });

  test.each([["-nothing"], ["word"], ["-peer-name"], ["-print-k8s-version"], ["-constructor"]])(
    "%s is refused",
    (word) => {
      let code = "";
      try {
        kubeUtilsWords([word]);
      } catch (error) {
        code = errorCode(error);
      }
      expect(code).toBe("KUBE_UTILS");
    },
  );
});
