import type { PolicyControl, PolicyQuestion, ToldContainer } from "../../api/router-control.ts";
import { WeaveError } from "../../base/errors.ts";
import type { Cluster } from "../../policy/cluster.ts";
import type { SharedPolicy } from "../../policy/gossip/shared-policy.ts";
import { hostKind, type RecordName } from "../../policy/gossip/shared-record.ts";
import { nameOfClusterPolicy, nameOfPolicy } from "../../policy/policy-name.ts";
import { checkTruthTable, readTruthTable, type TruthTableRow } from "../../policy/truth-table.ts";
import { evaluate, type Verdict } from "../../policy/verdict.ts";
import { type SpanVerdict, wayVerdicts } from "../../policy/way-verdicts.ts";
import { tellDecision } from "./decision-text.ts";
import { addressTexts, containerOf, findParty, type NamedParty } from "./find-party.ts";
import { readHost } from "./host-document.ts";
import { parseJson } from "./pod-document.ts";
import { isDocumentKind, type PolicyDocument, takeDocument } from "./policy-document.ts";
import type { PolicyService } from "./policy-service.ts";
import { withDocuments } from "./rehearsal.ts";

type Request<Name extends keyof PolicyControl> = Parameters<PolicyControl[Name]>[0];
type Answer<Name extends keyof PolicyControl> = Awaited<ReturnType<PolicyControl[Name]>>;
type Change = Answer<"apply">["changes"][number];

/**
 * What operators ask of policies. Everything is read before anything is done, and what was done
 * holds on this host when it is answered.
 */
export class PolicyRequests implements PolicyControl {
  readonly #service: PolicyService;
  readonly #shared: SharedPolicy | undefined;

  constructor(service: PolicyService, shared: SharedPolicy | undefined) {
    this.#service = service;
    this.#shared = shared;
  }

  apply({ documents, namespace }: Request<"apply">): Answer<"apply"> {
    const shared = this.#writable();
    const taken = documents.map((json) => takeDocument(json, namespace));
    const changes = taken.map((each): Change => {
      const known = shared.content(each);
      const change =
        known === undefined ? "created" : known === each.content ? "unchanged" : "changed";
      return { ...named(each), change };
    });
    shared.say(taken);
    return { changes, warnings: [...warningsOf(taken), ...this.#enforce()] };
  }

  remove({ documents, names, namespace }: Request<"remove">): Answer<"remove"> {
    const shared = this.#writable();
    const wanted: RecordName[] = [
      ...documents.map((json) => takeDocument(json, namespace)),
      ...names.map(({ kind, namespace: scope, name }) => ({ kind, scope, name })),
    ].filter(({ kind }) => isDocumentKind(kind));
    const changes = wanted.map((each): Change => {
      const change = shared.content(each) === undefined ? "absent" : "deleted";
      return { ...named(each), change };
    });
    shared.say(wanted.map(({ kind, scope, name }) => ({ kind, scope, name, content: undefined })));
    return { changes, warnings: this.#enforce() };
  }

  async list({ now }: Request<"list">): Promise<Answer<"list">> {
    if (!now) await this.#service.allKnown();
    const records = this.#shared?.records() ?? [];
    const { pods, networkPolicies, clusterPolicies } = this.#cluster();
    const policies = this.#service.isShared
      ? records
          .filter(({ kind }) => isDocumentKind(kind))
          .map((each) => ({ ...named(each), document: parseJson(each.content) }))
      : [...networkPolicies.map(nameOfPolicy), ...clusterPolicies.map(nameOfClusterPolicy)].map(
          // What a cluster has is the cluster's to show.
          ({ kind, namespace = "", name }) => ({ kind, namespace, name, document: null }),
        );
    const hosts = records.flatMap(({ kind, scope: peer, content }) => {
      const host = kind === hostKind ? readHost(content) : undefined;
      return host === undefined ? [] : { peer, nickname: host.nickname, enforcer: host.enforcer };
    });
    return {
      policies: policies.sort(byName),
      pods: pods.map((pod) => ({
        ...{ namespace: pod.namespace, name: pod.name, host: pod.node ?? "" },
        container: containerOf(pod),
        addresses: addressTexts(pod),
        labels: Object.fromEntries(pod.labels),
        ports: [...pod.ports],
      })),
      hosts,
      warnings: [...(this.#service.controller?.source.faults() ?? [])],
    };
  }

  async explain({ from, to, port }: PolicyQuestion): Promise<Answer<"explain">> {
    await this.#service.allKnown();
    const cluster = this.#cluster();
    const [source, destination] = [findParty(cluster, from), findParty(cluster, to)];
    const verdict = evaluate(cluster, {
      ...{ source: source.party, destination: destination.party, port },
    });
    return {
      ...{ from: source.label, to: destination.label },
      ...tellVerdict(source.label, destination.label, port, verdict),
      enforced: this.#service.controller?.phase === "enforcing",
    };
  }

  async ways({ from, to }: Request<"ways">): Promise<Answer<"ways">> {
    await this.#service.allKnown();
    const cluster = this.#cluster();
    const [one, other] = [findParty(cluster, from), findParty(cluster, to)];
    return {
      enforced: this.#service.controller?.phase === "enforcing",
      ways: [tellWay(cluster, one, other), tellWay(cluster, other, one)],
    };
  }

  containers(): readonly ToldContainer[] {
    this.#service.askAll();
    return (this.#service.controller?.tables.pods.all() ?? []).map((pod) => ({
      ...{ container: containerOf(pod), host: pod.node ?? "", addresses: addressTexts(pod) },
      ...{ namespace: pod.namespace, name: pod.name, labels: pod.labels },
    }));
  }

  async test({ documents, namespace, tables }: Request<"test">): Promise<Answer<"test">> {
    await this.#service.allKnown();
    const taken = documents.map((json) => takeDocument(json, namespace));
    const cluster = withDocuments(this.#cluster(), taken);
    const rows = tables
      .flatMap((table) => checkTruthTable(cluster, readTruthTable(table)))
      .map(tellRow);
    const failed = rows.filter(({ met }) => !met).length;
    return { rows, failed, warnings: warningsOf(taken) };
  }

  /** Puts what was said in place; a sentence when that is not possible here. */
  #enforce(): string[] {
    const { controller } = this.#service;
    controller?.act();
    if (controller?.trouble === undefined) return [];
    return [`this host does not enforce it: ${controller.trouble.text}`];
  }

  /** @throws WeaveError `POLICY_OF_CLUSTER` */
  #writable(): SharedPolicy {
    if (this.#shared !== undefined && this.#service.isShared) return this.#shared;
    throw new WeaveError(
      "POLICY_OF_CLUSTER",
      "the policies of this host are those of its cluster",
      {
        remedy: "apply them with kubectl",
      },
    );
  }

  #cluster(): Cluster {
    const tables = this.#service.controller?.tables;
    if (tables !== undefined) return tables.cluster();
    return { namespaces: [], pods: [], nodes: [], networkPolicies: [], clusterPolicies: [] };
  }
}

function named({ kind, scope: namespace, name }: RecordName) {
  return { kind, namespace, name };
}

function byName(a: ReturnType<typeof named>, b: ReturnType<typeof named>): number {
  const [first, second] = [a, b].map(({ kind, namespace, name }) => `${kind} ${namespace} ${name}`);
  return first! < second! ? -1 : 1;
}

function warningsOf(documents: readonly PolicyDocument[]): string[] {
  return documents.flatMap(({ kind, scope, name, problems }) => {
    const label = scope === "" ? `${kind} ${name}` : `${scope}/${name}`;
    return problems.map(({ sentence }) => `${label}: ${sentence}`);
  });
}

function tellVerdict(from: string, to: string, port: PolicyQuestion["port"], verdict: Verdict) {
  return {
    protocol: port?.protocol ?? ("ICMP" as const),
    port: port?.port ?? null,
    ...tellBothEnds(from, to, verdict),
  };
}

function tellWay(cluster: Cluster, from: NamedParty, to: NamedParty) {
  const { verdicts, isComplete } = wayVerdicts(cluster, from.party, to.party);
  return {
    ...{ from: from.label, to: to.label, complete: isComplete },
    verdicts: verdicts.map(({ spans, verdict }) => ({
      ...tellBothEnds(from.label, to.label, verdict),
      spans: spans.map(tellSpan),
    })),
  };
}

function tellSpan({ protocol, ports }: SpanVerdict["spans"][number]) {
  return { protocol, first: ports?.first ?? null, last: ports?.last ?? null };
}

function tellBothEnds(from: string, to: string, { allowed, egress, ingress }: Verdict) {
  return {
    allowed,
    egress: withList(tellDecision("egress", from, egress)),
    ingress: withList(tellDecision("ingress", to, ingress)),
  };
}

function withList({ policies, ...decision }: ReturnType<typeof tellDecision>) {
  return { ...decision, policies: [...policies] };
}

function tellRow(row: TruthTableRow): Answer<"test">["rows"][number] {
  const { expectation, source, destination, verdict, isMet } = row;
  const { from, to, port, allowed: expected } = expectation;
  return {
    ...{ from: withAddress(from, source), to: withAddress(to, destination) },
    ...tellVerdict(from, to, port, verdict),
    ...{ expected, met: isMet },
  };
}

function withAddress(label: string, address: string | undefined): string {
  return address === undefined || address === label ? label : `${label} (${address})`;
}
