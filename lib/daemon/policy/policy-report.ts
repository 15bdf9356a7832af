import type { PolicyReport } from "../../api/policy-report.ts";
import type { SharedPolicy } from "../../policy/gossip/shared-policy.ts";
import { hostKind } from "../../policy/gossip/shared-record.ts";
import { readHost } from "./host-document.ts";
import type { PolicyService } from "./policy-service.ts";
import { standingText } from "./standing-cutter.ts";

/** A peer of the network, as the mesh knows it. */
export interface KnownPeer {
  readonly name: string;
  readonly nickname: string;
}

/** Policies as the report shows them; `undefined` while there is nothing to enforce. */
export function policyReport(
  { controller, isShared }: PolicyService,
  idlePeers: () => readonly KnownPeer[],
): PolicyReport | undefined {
  if (controller === undefined) return undefined;
  const { phase, tables, trouble, chosen, counts, source, cutter } = controller;
  if (phase === "off" && trouble === undefined) return undefined;
  const pods = tables.pods.all();
  const idle = isShared ? idlePeers() : [];
  return {
    Status: phase,
    Source: source.name,
    Enforcer: chosen?.enforcer.name ?? "",
    Reason: chosen?.reason ?? "",
    Policies: tables.networkPolicies.size,
    ClusterPolicies: tables.clusterPolicies.size,
    Namespaces: tables.namespaces.size,
    Pods: pods.length,
    LocalPods: pods.filter(({ isLocal }) => isLocal).length,
    Held: tables.admitted.held,
    Changes: counts.changes,
    Errors: counts.errors,
    ...(phase === "waiting" && { Awaited: tables.awaited }),
    ...(trouble !== undefined && {
      Trouble: {
        Code: trouble.code,
        Message: trouble.text,
        Remedy: trouble.remedy,
        Since: new Date(trouble.sinceMs).toISOString(),
      },
    }),
    ...(cutter !== undefined && {
      Standing: {
        Cut: cutter.cut,
        Trouble: cutter.trouble === undefined ? "" : standingText(cutter.trouble),
        Remedy: cutter.trouble?.remedy ?? "",
      },
    }),
    Faults: source.faults().length === 0 ? null : source.faults(),
    ...(idle.length > 0 && { NotEnforcing: idle.map(({ nickname, name }) => nickname || name) }),
  };
}

/** Peers that enforce nothing: those that say so, and those that know of no policies at all. */
export function idlePeers(
  shared: SharedPolicy | undefined,
  peers: readonly KnownPeer[],
): KnownPeer[] {
  const enforcing = new Set(
    (shared?.records(hostKind) ?? [])
      .filter(({ content }) => (readHost(content)?.enforcer ?? "") !== "")
      .map(({ scope }) => scope),
  );
  return peers.filter(({ name }) => !enforcing.has(name));
}
