/**
 * The benchmarks, one after the other or by name:
 *
 *   bun run bench [start] [sleeve] [sleeve-udp] [sleeve-ping] [sleeve-relay] [sleeve-overload]
 *       [sleeve-core] [fastdp] [fastdp-jumbo] [ciphers] [bad-cable] [dns] [ipam] [attach] [docker-run] [policy]
 *       [succession] [thirty-peers] [mesh-scale] [policy-packets] [policy-kernel]
 */
const benchmarks: Readonly<Record<string, () => Promise<unknown>>> = {
  start: async () => (await import("./start.ts")).benchStart(),
  "sleeve-core": () => import("./sleeve-core.ts"),
  sleeve: async () => (await import("./sleeve.ts")).benchSleeve(),
  "sleeve-udp": async () => (await import("./sleeve.ts")).benchSleeveUdp(),
  "sleeve-ping": async () => (await import("./sleeve.ts")).benchSleevePing(),
  fastdp: async () => (await import("./fastdp.ts")).benchFastdp(),
  "fastdp-jumbo": async () => (await import("./fastdp-jumbo.ts")).benchFastdpJumbo(),
  "sleeve-relay": async () => (await import("./sleeve.ts")).benchSleeveRelay(),
  "sleeve-overload": async () => (await import("./sleeve-overload.ts")).benchSleeveOverload(),
  ciphers: async () => (await import("./ciphers.ts")).benchCiphers(),
  "bad-cable": async () => (await import("./bad-cable.ts")).benchBadCable(),
  dns: async () => (await import("./dns.ts")).benchDns(),
  attach: async () => (await import("./attach.ts")).benchAttach(),
  ipam: async () => (await import("./ipam.ts")).benchIpam(),
  policy: async () => (await import("./policy.ts")).benchPolicy(),
  "docker-run": async () => (await import("./docker-run.ts")).benchDockerRun(),
  succession: async () => (await import("./succession.ts")).benchSuccession(),
  "thirty-peers": async () => (await import("./thirty-peers.ts")).benchThirtyPeers(),
  "policy-packets": async () => (await import("./policy-packets.ts")).benchPolicyPackets(),
  "policy-kernel": async () => (await import("./policy-kernel.ts")).benchPolicyKernel(),
  "mesh-scale": async () => (await import("./mesh-scale.ts")).benchMeshScale(),
};

const names = process.argv.slice(2);
for (const name of names.length === 0 ? Object.keys(benchmarks) : names) {
  const benchmark = benchmarks[name];
  if (benchmark === undefined) {
    console.error(`no benchmark "${name}"; there are ${Object.keys(benchmarks).join(", ")}`);
    process.exitCode = 1;
    break;
  }
  console.log(`── ${name}`);
  await benchmark();
}
