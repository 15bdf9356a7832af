import { parseArgs } from "node:util";
import { ClusterFiles } from "./cluster-files.ts";
import { ClusterLab } from "./cluster-lab.ts";
import { type CaseResult, needsSctp } from "./e2e-report.ts";
import { E2eSuite } from "./e2e-suite.ts";
import { kernelHasSctp } from "./kernel-features.ts";
import { usePlainNetwork } from "./plain-network.ts";
import { installAddon, rolledOut } from "./weave-addon.ts";

/**
 * Upstream's own tests of NetworkPolicy, on two nodes:
 *
 *   bun test/cluster/e2e.ts [--network weave|plain] [--filter auto|nftables|iptables]
 *                           [--focus <regular expression>] [--workers 3]
 *
 * With the network `plain`, which enforces nothing, every case that forbids something has to fail. Ends
 * with 1 when a case fails that this kernel could pass.
 */
const { values } = parseArgs({
  options: {
    network: { type: "string", default: "weave" },
    focus: { type: "string", default: "NetworkPolicy" },
    workers: { type: "string", default: "3" },
    filter: { type: "string", default: "auto" },
  },
});

const startMs = performance.now();
const sctp = kernelHasSctp();
const results = await runSuite();
const passed = results.filter(({ outcome }) => outcome === "passed");
const excused = results.filter(isExcused);
for (const { name, reason } of results.filter(isFault)) console.log(`\nFAILED ${name}\n${reason}`);
for (const { name } of excused) console.log(`needs a kernel with sockets of SCTP: ${name}`);
const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
console.log(
  `${passed.length} of ${results.length} passed, ${excused.length} need sockets of SCTP, ${minutes} min`,
);
if (results.length === 0 || results.some(isFault)) process.exitCode = 1;

async function runSuite(): Promise<CaseResult[]> {
  await using lab = await ClusterLab.start("ke2e");
  if (values.network === "plain") await usePlainNetwork(lab);
  else await installAddon(lab, [`--policy-filter=${values.filter}`]);
  await lab.ready();
  if (values.network !== "plain") await rolledOut(lab);
  return await new E2eSuite(lab.plane, new ClusterFiles()).run({
    ...{ focus: values.focus, nodes: lab.nodes.length, workers: Number(values.workers) },
    onResult: ({ name, outcome, seconds }) =>
      console.log(`${outcome} ${seconds.toFixed(0).padStart(4)} s  ${name}`),
  });
}

function isExcused({ name, outcome }: CaseResult): boolean {
  return outcome === "failed" && needsSctp(name) && !sctp;
}

function isFault(result: CaseResult): boolean {
  return result.outcome === "failed" && !isExcused(result);
}
