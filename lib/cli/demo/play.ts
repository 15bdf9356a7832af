import { readAnswer } from "../answer.ts";
import { httpApiClient } from "../api-client.ts";
import { type ReportModel, reportModel } from "../report-model.ts";
import type { Player } from "./player.ts";
import { client, containers, db, host1, host2, hosts, type SceneHost, web } from "./scene.ts";

/** The demonstration itself, act by act. The stage is built. */

const meetingWaitMs = 30_000;
const answerWaitMs = 15_000;

export async function play(player: Player): Promise<void> {
  await launchRouters(player);
  await attachContainers(player);
  const dns = await giveNames(player);
  await visit(player, dns);
  player.say("\nWhat host1 knows of all this:");
  await player.weave(host1, ["status"]);
  await player.weave(host1, ["status", "connections"]);
  await player.weave(host2, ["status", "dns"]);
}

async function launchRouters(player: Player): Promise<void> {
  player.say(`
Two hosts, joined by a cable:

  host1 ${host1.ip} ──────── ${host2.ip} host2

Each launches a router; the second is told where the first one is:
`);
  const options = (host: SceneHost): string[] => [
    "launch",
    "--name",
    host.peerName,
    "--nickname",
    host.name,
    "--docker-api=",
  ];
  await player.weave(host1, options(host1));
  await player.weave(host2, [...options(host2), host1.ip]);
  player.say("\nThe routers meet:");
  await player.until("a connection of the two routers", meetingWaitMs, stateChanges(player));
}

/** Shows each new state of the connection; answers when it is established at both ends. */
function stateChanges(player: Player): () => Promise<true | undefined> {
  const start = performance.now();
  const shown = new Map<string, string>();
  return async () => {
    const states: string[] = [];
    for (const host of hosts) {
      const connection = (await reportOf(host)).Router.Connections[0];
      if (connection === undefined) continue;
      states.push(connection.State);
      if (shown.get(host.name) === connection.State) continue;
      shown.set(host.name, connection.State);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      player.say(`  ${seconds} s  ${host.name}: ${connection.State} ${connection.Info}`.trimEnd());
    }
    const met = states.length === 2 && states.every((state) => state === "established");
    return met ? true : undefined;
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

async function attachContainers(player: Player): Promise<void> {
  player.say("\nThree containers are attached, two on host1 and one on host2:\n");
  for (const container of containers) {
    await player.weave(container.host, ["attach", `netns:${container.namespace}`]);
  }
}

/** Returns the address at which the client's host answers questions for names. */
async function giveNames(player: Player): Promise<string> {
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

async function visit(player: Player, dns: string): Promise<void> {
  player.say("\nFrom the client on host2 to a container on host1, by name:\n");
  player.say(`  client$ ping ${db.fqdn}`);
  await player.perform(client, ["demo-ping", dns, db.fqdn]);
  const server = player.start(web, ["demo-web"]);
  // Whoever starts a server waits for its first line.
  await server.stdout.getReader().read();
  server.unref();
  player.say(`\n  client$ curl http://${web.fqdn}/`);
  await player.perform(client, ["demo-fetch", dns, web.fqdn]);
}
