import { hostname } from "node:os";
import { WeaveError } from "../../base/errors.ts";
import { planAdoption } from "../../daemon/adoption/plan.ts";
import { chooseEngine } from "../../docker/engine-choice.ts";
import { translateSettings } from "../adoption/old-settings.ts";
import { outcomeText, planText } from "../adoption/plan-text.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import { launchWords } from "../launch-words.ts";
import { withProgress } from "../progress.ts";
import { adoptionFlags } from "../table/launch-flags.ts";

export const adopt: CommandHandler = async (context) => {
  const { environment, flags, stdout, router } = context;
  const engine = chooseEngine(flags.text("docker-api") || undefined, environment);
  const site = await router.findOldRouter(engine);
  const { words, files } = site.router;
  const { isShared } = files;
  const more = launchWords(context, adoptionFlags);
  const machine = { hostname: hostname(), isShared, variables: environment };
  const settings = translateSettings(words, machine, more);
  const plan = planAdoption(await site.examine(settings), settings);
  stdout.write(planText(plan));
  if (flags.enabled("dry-run")) return 0;
  await agreed(context);
  let step = "taking over";
  const say = (sentence: string): void => {
    stdout.write(`${sentence}\n`);
    step = sentence;
  };
  const signal = context.interrupts();
  const outcome = await withProgress(
    context,
    () => step,
    () => site.adopt(plan, say, signal),
  );
  stdout.write(outcomeText(plan, outcome));
  return 0;
};

/** @throws WeaveError `ADOPT_UNCONFIRMED` */
async function agreed({ flags, confirm }: CommandContext): Promise<void> {
  if (flags.enabled("yes")) return;
  if (confirm !== undefined && (await confirm("Do that?"))) return;
  throw new WeaveError("ADOPT_UNCONFIRMED", "nothing was changed", {
    remedy: "'weave adopt --yes' does it",
  });
}
