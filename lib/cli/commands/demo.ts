import type { CommandHandler } from "../context.ts";
import { play } from "../demo/play.ts";
import { Interrupted, Player } from "../demo/player.ts";
import { defaultSceneName, makeScene, removalOf, type Scene } from "../demo/scene.ts";
import { buildStage, strikeStage } from "../demo/stage.ts";

/** What a shell reports for a program that Ctrl-C ended. */
const interruptedExitCode = 130;

export const demo: CommandHandler = async ({ flags, stdout, interrupts }) => {
  const scene = makeScene(flags.text("name") ?? defaultSceneName);
  if (flags.enabled("remove")) {
    await strikeStage(scene);
    return 0;
  }
  const player = new Player(stdout, interrupts());
  const start = performance.now();
  buildStage(scene);
  let keep = false;
  try {
    await play(player, scene);
    keep = flags.enabled("keep");
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    player.say("\nInterrupted; cleaning up.");
    return interruptedExitCode;
  } finally {
    if (!keep) await strikeStage(scene);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (keep) sayWhatNext(player, scene);
  else player.say(`\nEverything is removed again. That took ${seconds} s.`);
  return 0;
};

function sayWhatNext(player: Player, scene: Scene): void {
  const { host1, host2, web, db, client } = scene;
  const onHost1 = `WEAVE_RUN_DIR=${host1.environment.WEAVE_RUN_DIR}`;
  const onHost2 = `WEAVE_RUN_DIR=${host2.environment.WEAVE_RUN_DIR}`;
  player.say(`
It stays. Try:

  ${onHost1} weave status peers
  ${onHost2} weave dns-lookup ${web.name}
  ${onHost1} weave dns-remove netns:${db.namespace} -h ${db.fqdn}
  ${onHost2} weave logs
  nsenter --net=/run/netns/${client.namespace} ping <address of ${db.name}>

'${removalOf(scene)}' removes it.`);
}
