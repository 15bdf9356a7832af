import { namespaceOf } from "../lib/policy/labels.ts";
import type { RuleSetChange } from "../lib/policy/rule-set.ts";
import { inTurn, shown } from "./measure.ts";
import { full, type Shape, shapes } from "./policy-shapes.ts";

/**
 * What compiling policies into rules costs: all of 1000 policies and 1000 pods at once, and one event
 * after that (kubernetes.md §13: below 5 s and 50 ms), in milliseconds of processor time.
 *
 *   bun run bench policy
 */
const rounds = 3;

/** Processor time, garbage collection included: other work on the machine is no part of it. */
async function processorMs(action: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function sizeOf(change: RuleSetChange | undefined): number {
  if (change === undefined) return 0;
  const { sets, chains, targets } = change;
  return sets.change.size + sets.add.size + chains.put.size + targets.ingress.put.size;
}

export async function benchPolicy(): Promise<void> {
  for (const shape of Object.keys(shapes) as Shape[]) {
    const compiler = full(shape);
    const { sets, chains, targets } = compiler.rules;
    const rules = [...chains.values()].reduce((sum, { tiers }) => sum + tiers.flat().length, 0);
    console.log(
      `${shape}: ${sets.size} sets, ${chains.size} chains of ${rules} rules, ${targets.ingress.size} addresses judged`,
    );
    const events: Record<string, () => unknown> = {
      "a pod that goes and comes": () => {
        compiler.removePod("500");
        compiler.commit();
        compiler.putPod(shapes[shape].pod(500));
        return compiler.commit();
      },
      "a pod that takes other labels": () => {
        compiler.putPod({ ...shapes[shape].pod(500), labels: shapes[shape].pod(501).labels });
        compiler.commit();
        compiler.putPod(shapes[shape].pod(500));
        return compiler.commit();
      },
      "a policy that goes and comes": () => {
        const policy = shapes[shape].policy(500);
        compiler.removeNetworkPolicy(policy.namespace, policy.name);
        compiler.commit();
        compiler.putNetworkPolicy(policy);
        return compiler.commit();
      },
      "a namespace that takes other labels": () => {
        compiler.putNamespace(namespaceOf("namespace-0", { team: "team-9" }));
        compiler.commit();
        compiler.putNamespace(namespaceOf("namespace-0", { team: "team-0" }));
        return compiler.commit();
      },
    };
    const all = { "all at once": () => full(shape), ...events };
    const timed = Object.fromEntries(
      Object.entries(all).map(([name, action]) => [name, () => processorMs(action)]),
    );
    for (const [name, times] of Object.entries(await inTurn(timed, rounds))) {
      const perEvent = name === "all at once" ? times : times.map((both) => both / 2);
      console.log(`${shape}: ${name}: ${shown(perEvent, 2)} ms`);
    }
    for (const [name, action] of Object.entries(events)) {
      console.log(
        `${shape}: ${name}: ${sizeOf(action() as RuleSetChange | undefined)} things change`,
      );
    }
  }
}
