import { errorText } from "../../base/errors.ts";
import { agentLaunchWords } from "../../kubernetes/agent/agent-settings.ts";
import type { NodeAgent } from "../../kubernetes/agent/node-agent.ts";
import { findCommand } from "../command-table.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import { launchWords } from "../launch-words.ts";
import { parseWords } from "../parse.ts";
import { optionsOf } from "./launch.ts";

type Action = (context: CommandContext, node: NodeAgent) => Promise<number>;

const actions: Readonly<Record<string, Action>> = { run: runNode, init, uninstall };

export const kube: CommandHandler = async (context) => {
  const [action = "run"] = context.arguments;
  return actions[action]!(context, await context.router.node(context.flags.text("node-name")));
};

async function init({ flags, stderr }: CommandContext, node: NodeAgent): Promise<number> {
  const network = flags.enabled("network");
  for (const sentence of node.initialise({ network })) stderr.write(`note: ${sentence}\n`);
  return 0;
}

async function runNode(context: CommandContext, node: NodeAgent): Promise<number> {
  const { arguments: words, router } = context;
  const facts = await orInterrupted(context, (signal) => node.prepare(signal));
  if (facts === undefined) return 0;
  const extra = [...launchWords(context), ...words.slice(1)];
  // What the variable asks for is done by a word.
  const environment = { ...context.environment, WEAVE_DEBUG: undefined };
  const launch = agentLaunchWords(node.settings, context.environment, facts, extra);
  const command = findCommand("launch")!;
  const parsed = parseWords(command, launch, environment);
  const options = await optionsOf({ ...context, environment, command, ...parsed });
  const others = parsed.arguments.filter((peer) => !facts.peers.includes(peer));
  return router.foreground({ ...options, kubernetes: node.options(others) });
}

/** `undefined` when this process was told to end meanwhile: the first one of a pod is not ended by a signal. */
async function orInterrupted<T>(
  { interrupts }: CommandContext,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const signal = interrupts();
  try {
    const result = await action(signal);
    return signal.aborted ? undefined : result;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Leaves nothing behind; what the cluster should know and cannot be told is said. */
async function uninstall(context: CommandContext, node: NodeAgent): Promise<number> {
  const { flags, router, stderr } = context;
  const interrupted = flags.enabled("stay") ? context.interrupts() : undefined;
  try {
    await node.sayGoodbye();
  } catch (error) {
    stderr.write(`note: ${errorText(error)}\n`);
  }
  await router.reset({ force: true });
  node.forget();
  if (interrupted?.aborted === false) {
    await new Promise((resolve) => interrupted.addEventListener("abort", resolve));
  }
  return 0;
}
