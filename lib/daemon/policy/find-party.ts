import { WeaveError } from "../../base/errors.ts";
import { formatHostIp, tryParseHostIp } from "../../base/ip.ts";
import { type Cluster, latestOf, type Party, partyAt } from "../../policy/cluster.ts";
import { isLinkLocal } from "../../policy/link-local.ts";
import type { Pod } from "../../policy/objects.ts";

/** One end of a connection, and what people call it. */
export interface NamedParty {
  readonly party: Party;
  readonly label: string;
}

/** A beginning of an id that may stand for it. */
const idPrefixMin = 6;

/**
 * Whom a word means: an address, `<namespace>/<name>`, a container as `weave ps` lists it or the
 * beginning of its id, or the name of one that is the only one of that name.
 *
 * @throws WeaveError `POLICY_PLACE`
 */
export function findParty(cluster: Cluster, word: string): NamedParty {
  const address = tryParseHostIp(word);
  if (address !== undefined) {
    if (isLinkLocal(address)) throw nobodys(word);
    const party = partyAt(cluster, address);
    return { party, label: party.pod === undefined ? word : labelOf(party.pod) };
  }
  const pod = podCalled(cluster.pods, word);
  return { party: { pod, address: pod.addresses[0] }, label: labelOf(pod) };
}

/** What rules say of it is the same for all: nobody can tell whose it is. */
function nobodys(address: string): WeaveError {
  const what = "is dropped on hosts where policies are about some container";
  return new WeaveError(
    "POLICY_PLACE",
    `what goes to or from ${address}, a link-local address, ${what}`,
    {
      remedy: "have containers speak by the addresses that weave gives them",
    },
  );
}

function podCalled(pods: readonly Pod[], word: string): Pod {
  const rules: readonly ((pod: Pod) => boolean)[] = [
    (pod) => containerOf(pod) === word || pod.id === word,
    (pod) => labelOf(pod) === word,
    (pod) => pod.name === word,
    (pod) => word.length >= idPrefixMin && containerOf(pod).startsWith(word),
  ];
  for (const isMeant of rules) {
    const found = pods.filter(isMeant);
    const labels = [...new Set(found.map(labelOf))];
    if (labels.length > 1) {
      throw new WeaveError("POLICY_PLACE", `${word} may be ${labels.join(" or ")}`, {
        remedy: "write <namespace>/<name>",
      });
    }
    const pod = latestOf(found);
    if (pod !== undefined) return pod;
  }
  throw new WeaveError("POLICY_PLACE", `policies know of no container ${word}`, {
    remedy: "'weave policy get pods' lists those there are; an address will do as well",
  });
}

/** As `weave ps` lists it; of a cluster's pods the id. */
export function containerOf({ id }: Pod): string {
  return id.slice(id.indexOf("/") + 1);
}

export function labelOf({ namespace, name }: Pod): string {
  return `${namespace}/${name}`;
}

export function addressTexts({ addresses }: Pod): string[] {
  return addresses.map(formatHostIp);
}
