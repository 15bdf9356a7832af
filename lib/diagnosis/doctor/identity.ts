import type { Facts } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { relaunch } from "./relaunch.ts";

/** Whether peers can be told apart. */
export function checkIdentity({ cluster }: Facts): Finding[] {
  if (cluster === undefined) return [];
  const byNickname = Map.groupBy(cluster.mesh.peers, ({ nickname }) => nickname);
  return [...byNickname]
    .filter(([nickname, peers]) => nickname !== "" && peers.length > 1)
    .map(([nickname, peers]) => {
      const names = peers.map(({ name }) => name).join(", ");
      return finding("NICKNAME_SHARED", nickname, `${names} are all called ${nickname}`);
    });
}

/** Another host has our name: whoever runs this gets a new one, and keeps what it is connected to. */
export function nameCollision(facts: Facts, address: string, text: string): Finding {
  const spare = facts.cluster?.spareName ?? "";
  return finding("NAME_COLLISION", address, `${address} has this host's name: ${text}`, {
    commands: ["weave stop", relaunch(facts, "--resume", "--name", spare)],
  });
}
