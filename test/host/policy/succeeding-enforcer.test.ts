import { beforeEach, describe, expect, test } from "bun:test";
import type { HostEnforcer } from "../../../lib/host/policy/host-enforcer.ts";
import { LogLabels } from "../../../lib/host/policy/log-labels.ts";
import { SucceedingEnforcer } from "../../../lib/host/policy/succeeding-enforcer.ts";
import type { RuleSet } from "../../../lib/policy/rule-set.ts";
import { recordingLog } from "../laboratory.ts";

const rules: RuleSet = {
  sets: new Map(),
  portSets: new Map(),
  chains: new Map(),
  targets: { ingress: new Map(), egress: new Map() },
};

describe("who takes policies over from others", () => {
  const did: string[] = [];
  const log = recordingLog();
  let troubles = 0;
  let refuses = false;
  const own: HostEnforcer = {
    name: "nftables",
    labels: new LogLabels(),
    replace() {
      if (refuses) throw new Error("no");
      did.push("own rules stand");
    },
    apply: () => void did.push("own rules change"),
    isSpoilt: () => false,
    remove: () => void did.push("own rules go"),
    size: () => ({ sets: 0, elements: 0, chains: 0, rules: 0, targets: 0 }),
  };
  const make = () =>
    new SucceedingEnforcer(
      own,
      () => {
        if (troubles-- > 0) throw new Error("it still runs");
        did.push("others' rules go");
      },
      log,
    );
  beforeEach(() => {
    did.length = 0;
    log.lines.length = 0;
    troubles = 0;
    refuses = false;
  });

  test("removes theirs when its own stand, once", () => {
    const enforcer = make();
    enforcer.replace(rules);
    enforcer.replace(rules);
    expect(did).toEqual(["own rules stand", "others' rules go", "own rules stand"]);
  });

  test("leaves theirs while its own cannot be put in place", () => {
    const enforcer = make();
    refuses = true;
    expect(() => enforcer.replace(rules)).toThrow("no");
    expect(did).toEqual([]);
  });

  test("says that theirs stay, and tries again", () => {
    const enforcer = make();
    troubles = 1;
    enforcer.replace(rules);
    expect(log.lines.join()).toContain("it still runs");
    enforcer.replace(rules);
    expect(did).toEqual(["own rules stand", "own rules stand", "others' rules go"]);
  });

  test("removes theirs with its own where nothing is enforced", () => {
    make().remove();
    expect(did).toEqual(["own rules go", "others' rules go"]);
  });
});
