import { afterAll, describe, expect, test } from "bun:test";
import { removeOldExposure } from "../../../lib/daemon/adoption/old-rules.ts";
import { Laboratory } from "../../host/laboratory.ts";

describe("rules that an original router has left for exposed addresses", () => {
  const laboratory = new Laboratory("old-rules");
  afterAll(() => laboratory.close());

  test.each(["iptables", "iptables-legacy"])("go from %s, with the set they look at", (program) => {
    const host = laboratory.namespace(program);
    const run = (...commands: readonly string[]): string =>
      host.run(() => {
        const { exitCode, stdout } = Bun.spawnSync(["sh", "-ec", commands.join("\n")]);
        expect(exitCode).toBe(0);
        return stdout.toString();
      });
    const state = () => run(`${program} -S; ${program} -t nat -S; ipset list -n`);
    run(`ipset create weaver hash:net; ${program} -A FORWARD -o docker0 -j ACCEPT`);
    const before = state();
    run(
      "ipset create weaver-no-masq-local hash:net",
      `${program} -t nat -N WEAVE`,
      `${program} -t nat -A POSTROUTING -j WEAVE`,
      `${program} -t nat -A WEAVE -m set --match-set weaver-no-masq-local dst -j RETURN`,
      `${program} -t nat -A WEAVE -d 10.32.0.0/12 ! -s 10.32.0.0/12 -j MASQUERADE`,
      `${program} -N WEAVE-EXPOSE`,
      `${program} -A FORWARD -o weave -j WEAVE-EXPOSE`,
      `${program} -A WEAVE-EXPOSE -d 10.32.0.0/12 -j ACCEPT`,
    );
    host.run(() => removeOldExposure("weave"));
    expect(state()).toBe(before);
  });
});
