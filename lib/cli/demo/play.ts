import { readAnswer } from "../answer.ts";
import { httpApiClient } from "../api-client.ts";
import { type ReportModel, reportModel } from "../report-model.ts";
import type { Player } from "./player.ts";
import { containersOf, type Scene, type SceneHost } from "./scene.ts";

/** The demonstration itself, act by act. The stage is built. */

const meetingWaitMs = 30_000;
const answerWaitMs = 15_000;

export async function play(player: Player, scene: Scene): Promise<void> {
  await launchRouters(player, scene);
  await attachContainers(player, scene);
  const dns = await giveNames(player, scene);
  await visit(player, scene, dns);
  player.say("\nWhat host1 knows of all this:");
  await player.weave(scene.host1, ["status"]);
  await player.weave(scene.host1, ["status", "connections"]);
  await player.weave(scene.host2, ["status", "dns"]);
}

async function launchRouters(player: Player, { host1, host2 }: Scene): Promise<void> {
  player.say(`
Two hosts, joined by a cable:

  host1 ${host1.ip} ──────── ${host2.ip} host2

Each launches a router; the second is told where the first one is. (On two machines their names
would differ by themselves.)
`);
  const options = (host: SceneHost): string[] => [
    "launch",
    "--name",
    host.peerName,
    "--nickname",
    host.name,
  ];
  await player.weave(host1, options(host1));
  await player.weave(host2, [...options(host2), host1.ip]);
  player.say("\nThe routers meet:");
  await player.until(
    "a connection of the two routers",
    meetingWaitMs,
    stateChanges(player, [host1, host2]),
  );
}

/** Shows each new state of the connection; answers when both hosts know it stands at both ends. */
function stateChanges(
  player: Player,
  hosts: readonly SceneHost[],
): () => Promise<true | undefined> {
  const start = performance.now();
  const shown = new Map<string, string>();
  return async () => {
    let knowing = 0;
    for (const host of hosts) {
      const { Router: router } = await reportOf(host);
      // Frames flow along links of which both ends have told that they stand.
      const links = router.Peers.flatMap((peer) => peer.Connections);
      if (links.length === hosts.length && links.every((link) => link.Established)) knowing++;
      const connection = router.Connections[0];
      if (connection === undefined) continue;
      if (shown.get(host.name) === connection.State) continue;
      shown.set(host.name, connection.State);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      player.say(`  ${seconds} s  ${host.name}: ${connection.State} ${connection.Info}`.trimEnd());
    }
    return knowing === hosts.length ? true : undefined;
  };
}

async function reportOf(host: SceneHost): Promise<ReportModel> {
  const body = await httpApiClient(host.environment).request({
    method: "GET",
    path: ["report"],
    accept: "application/json",
  });
  return readAnswer(reportModel, body);
}

async function attachContainers(player: Player, scene: Scene): Promise<void> {
  player.say("\nThree containers are attached, two on host1 and one on host2:\n");
  for (const container of containersOf(scene)) {
    await player.weave(container.host, ["attach", `netns:${container.namespace}`]);
  }
}

/** Returns the address at which the client's host answers questions for names. */
async function giveNames(player: Player, { host2, web, db }: Scene): Promise<string> {
  player.say("\nThey get names, and host2 an address at which its containers can ask for names:\n");
  for (const { host, namespace, fqdn } of [web, db]) {
    await player.weave(host, ["dns-add", `netns:${namespace}`, "-h", fqdn]);
  }
  const dns = (await player.weave(host2, ["expose"])).trim();
  await player.until("the names' arrival at host2", answerWaitMs, async () => {
    const names = (await reportOf(host2)).DNS?.Entries ?? [];
    return names.length >= 2 ? true : undefined;
  });
  return dns;
}

async function visit(
  player: Player,
  { web, db, client, webPidFile }: Scene,
  dns: string,
): Promise<void> {
  player.say("\nFrom the client on host2 to a container on host1, by name:\n");
  player.say(`  client$ ping ${db.fqdn}`);
  await player.perform(client, ["demo-ping", dns, db.fqdn]);
  await player.serve(web, ["demo-web", webPidFile]);
  player.say(`\n  client$ curl http://${web.fqdn}/`);
  await player.perform(client, ["demo-fetch", dns, web.fqdn]);
}
