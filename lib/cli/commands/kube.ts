import { agentLaunchWords } from "../../kubernetes/agent/agent-settings.ts";
import type { NodeAgent } from "../../kubernetes/agent/node-agent.ts";
import { findCommand } from "../command-table.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import { launchWords } from "../launch-words.ts";
import { parseWords } from "../parse.ts";
import { optionsOf } from "./launch.ts";

type Action = (context: CommandContext, node: NodeAgent) => Promise<number>;

const actions: Readonly<Record<string, Action>> = { run: runNode, init };

export const kube: CommandHandler = async (context) => {
  const [action = "run"] = context.arguments;
  return actions[action]!(context, await context.router.node());
};

async function init({ stderr }: CommandContext, node: NodeAgent): Promise<number> {
  for (const sentence of node.initialise()) stderr.write(`note: ${sentence}\n`);
  return 0;
}

async function runNode(context: CommandContext, node: NodeAgent): Promise<number> {
  const { arguments: words, router } = context;
  const facts = await node.prepare(new AbortController().signal);
  const extra = [...launchWords(context), ...words.slice(1)];
  // What the variable asks for is done by a word.
  const environment = { ...context.environment, WEAVE_DEBUG: undefined };
  const launch = agentLaunchWords(node.settings, context.environment, facts, extra);
  const command = findCommand("launch")!;
  const parsed = parseWords(command, launch, environment);
  const options = await optionsOf({ ...context, environment, command, ...parsed });
  return router.foreground({ ...options, kubernetes: node.options() });
}
