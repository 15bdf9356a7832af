import type { ClusterFacts, Facts, IpamFacts } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { labelOf, peerLabel, peerWord } from "../labels.ts";
import { shellLine } from "../shell-words.ts";
import { isClockFar } from "./clocks.ts";
import { joinAnew } from "./relaunch.ts";

/** Whether the cluster agrees about addresses and can give them out. */
export function checkAddresses(facts: Facts): Finding[] {
  const { cluster } = facts;
  if (cluster?.ipam === undefined) return [];
  const { ipam } = cluster;
  return [
    ...disagreements(facts, () => true),
    ...gone(cluster, ipam),
    ...lease(ipam),
    ...election(ipam),
    ...storage(ipam),
  ];
}

/** Peers of another opinion about addresses: what one of them gives out somebody else may have. */
export function disagreements(facts: Facts, isAsked: (peer: string) => boolean): Finding[] {
  const { cluster } = facts;
  return (cluster?.ipam?.conflicts ?? [])
    .filter(({ peer }) => isAsked(peer))
    .map((conflict) => conflictFinding(facts, cluster!.mesh, conflict));
}

function conflictFinding(
  facts: Facts,
  mesh: ClusterFacts["mesh"],
  { peer, code, message, remedy }: IpamFacts["conflicts"][number],
): Finding {
  const label = labelOf(mesh, peer);
  const kind = code === "IPAM_RING_RANGE" ? "RANGE_DIFFERS" : "RING_CONFLICT";
  const theirs = /received: ([\d.]+\/\d+)/.exec(message)?.[1];
  return finding(kind, label, `${label} disagrees about addresses: ${message}`, {
    ...(remedy !== undefined && { remedy }),
    commands: joinAnew(facts, ...(theirs === undefined ? [] : ["--ipalloc-range", theirs])),
  });
}

function gone({ mesh }: ClusterFacts, { owners }: IpamFacts): Finding[] {
  return owners
    .filter(({ isKnown }) => !isKnown)
    .map(({ peer, nickname, addresses }) => {
      const label = peerLabel({ name: peer, nickname });
      const sentence = `${label} is not there and owns ${addresses} addresses`;
      const isTaken = mesh.peers.some((other) => other.nickname === nickname);
      const word = nickname === "" || isTaken ? peer : nickname;
      return finding("OWNER_GONE", label, sentence, {
        commands: [shellLine("weave", "rmpeer", word)],
      });
    });
}

function lease({ mayAllocate }: IpamFacts): Finding[] {
  if (mayAllocate) return [];
  const sentence = "most peers have not been reached for too long: no new addresses are given out";
  return [finding("LEASE_LOST", "addresses", sentence)];
}

function election({ election: awaited }: IpamFacts): Finding[] {
  if (awaited === undefined || awaited.quorum === 0 || awaited.knownNodes >= awaited.quorum) {
    return [];
  }
  const { knownNodes, quorum } = awaited;
  const sentence = `${quorum} peers have to agree on who owns which addresses, and ${knownNodes} are known`;
  return [finding("NO_QUORUM", "addresses", sentence)];
}

function storage({ storeError }: IpamFacts): Finding[] {
  if (storeError === undefined) return [];
  return [finding("STATE_UNSAVED", "state", `the state cannot be stored: ${storeError}`)];
}

const clockSkew = "DNS_CLOCK_SKEW";

/** What peers told that could not be taken: a clock that is off shows so, too. */
export function checkRefusals(facts: Facts): Finding[] {
  const { cluster } = facts;
  if (cluster === undefined) return [];
  const { mesh } = cluster;
  return (
    mesh.refusals
      // Rings that disagree are conflicts, which last.
      .filter(({ error }) => !error.code.startsWith("IPAM_RING_"))
      // By how much is known, and said of it elsewhere.
      .filter(({ error, peer }) => error.code !== clockSkew || !isClockFar(facts, peer))
      .map(({ channel, peer, error }) => {
        const label = labelOf(mesh, peer);
        const isClock = error.code === clockSkew;
        return finding(
          isClock ? "CLOCK_SKEW" : "REFUSED",
          label,
          `what ${label} tells of ${channel} is refused: ${error.text}`,
          {
            ...(error.remedy !== undefined && { remedy: error.remedy }),
            commands: isClock
              ? ["timedatectl set-ntp true"]
              : [shellLine("weave", "why", peerWord(mesh, peer))],
          },
        );
      })
  );
}
