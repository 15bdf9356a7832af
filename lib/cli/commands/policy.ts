import {
  changesAnswer,
  policyExplanation,
  policyListAnswer,
  testAnswer,
} from "../../api/policy-models.ts";
import { WeaveError } from "../../base/errors.ts";
import { readAnswer } from "../answer.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { writeJson } from "../json-output.ts";
import { type PolicyFiles, policyYaml, readPolicyFile, readPolicyFiles } from "../policy-files.ts";
import {
  changesText,
  explanationText,
  hostsText,
  podsText,
  policiesText,
  testText,
} from "../policy-text.ts";
import { UsageError } from "../usage-error.ts";

export const policy: CommandHandler = async (context) => {
  const [action, ...words] = context.arguments;
  switch (action) {
    case "apply":
      return change(context, "apply", { words, names: [] });
    case "delete":
      return change(context, "delete", { words: [], names: words.map(nameOf) });
    case "get":
      return get(context, words);
    case "explain":
      return explain(context, words);
    default:
      return test(context, words);
  }
};

async function change(
  context: CommandContext,
  action: "apply" | "delete",
  given: { readonly words: readonly string[]; readonly names: readonly ObjectName[] },
): Promise<number> {
  const { api, flags, stdout } = context;
  refuseWords(given.words);
  const isNamed = given.names.length > 0;
  const { documents } = isNamed ? { documents: [] } : await filesOf(context);
  if (!isNamed && documents.length === 0) throw nothingIn("policy", "apiVersion, kind, …");
  const names = given.names.map((each) => ({ ...each, namespace: namespaceOf(context, each) }));
  const json = { documents, ...namespaceIn(context), ...(isNamed && { names }) };
  const body = await api.request({ method: "POST", path: ["policy", action], json });
  const answer = readAnswer(changesAnswer, body);
  warn(context, answer.warnings);
  if (flags.enabled("json")) writeJson(stdout, "policy-changes", answer);
  else stdout.write(changesText(answer.changes));
  return exitCode.success;
}

async function get(context: CommandContext, words: readonly string[]): Promise<number> {
  const { api, flags, stdout } = context;
  refuseWords(words.slice(1));
  const [word] = words;
  const isOfContainers = word === "pods" || word === "hosts" || flags.enabled("json");
  const query = isOfContainers ? [] : [["now", "true"] as const];
  const body = await api.request({ method: "GET", path: ["policy"], query });
  const list = readAnswer(policyListAnswer, body);
  warn(context, list.warnings);
  if (flags.enabled("json")) writeJson(stdout, "policy-list", list);
  else if (word === undefined || word === "policies") stdout.write(policiesText(list));
  else if (word === "pods") stdout.write(podsText(list));
  else if (word === "hosts") stdout.write(hostsText(list));
  else {
    const wanted = nameOf(word);
    const namespace = namespaceOf(context, wanted);
    const found = list.policies.find(
      (each) =>
        each.kind === wanted.kind && each.namespace === namespace && each.name === wanted.name,
    );
    if (found === undefined) throw absent(word);
    if (found.document === null) throw ofCluster(word);
    stdout.write(policyYaml(found.document));
  }
  return exitCode.success;
}

async function explain(context: CommandContext, words: readonly string[]): Promise<number> {
  const { api, flags, stdout } = context;
  const [from, to, port, ...more] = words;
  refuseWords(more);
  if (from === undefined || to === undefined) {
    throw new UsageError("explain needs both ends of a connection");
  }
  const [number, protocol] = (port ?? "").split("/");
  const body = await api.request({
    method: "GET",
    path: ["policy", "explain"],
    query: [
      ...[["from", from] as const, ["to", to] as const],
      ...(number ? [["port", number] as const] : []),
      ...(protocol ? [["protocol", protocol] as const] : []),
    ],
  });
  const explanation = readAnswer(policyExplanation, body);
  if (flags.enabled("json")) writeJson(stdout, "policy-explain", explanation);
  else stdout.write(explanationText(explanation, stdout.isColoured === true));
  return exitCode.success;
}

async function test(context: CommandContext, words: readonly string[]): Promise<number> {
  const { api, flags, stdout } = context;
  refuseWords(words);
  const { documents, tables } = await filesOf(context);
  const json = { documents, tables, ...namespaceIn(context) };
  const body = await api.request({ method: "POST", path: ["policy", "test"], json });
  const answer = readAnswer(testAnswer, body);
  warn(context, answer.warnings);
  if (answer.rows.length === 0) throw nothingIn("expectation", "'expectations:' and a list");
  if (flags.enabled("json")) writeJson(stdout, "policy-test", answer);
  else stdout.write(testText(answer.rows));
  return answer.failed > 0 ? exitCode.failure : exitCode.success;
}

function filesOf(context: CommandContext): Promise<PolicyFiles> {
  return readPolicyFiles(context.flags.list("filename"), async (file) =>
    file === "-" ? context.readStdin() : readPolicyFile(file),
  );
}

function namespaceIn({ flags }: CommandContext): { namespace?: string } {
  const namespace = flags.text("namespace");
  return namespace ? { namespace } : {};
}

interface ObjectName {
  readonly kind: string;
  /** Missing where it was not said. */
  readonly namespace?: string;
  readonly name: string;
}

/** Kinds by what people call them. */
const kinds: ReadonlyMap<string, string> = new Map(
  Object.entries({
    NetworkPolicy: ["networkpolicies", "netpol"],
    AdminNetworkPolicy: ["adminnetworkpolicies", "anp"],
    BaselineAdminNetworkPolicy: ["baselineadminnetworkpolicies", "banp"],
    Namespace: ["namespaces", "ns"],
  }).flatMap(([kind, words]) =>
    [kind.toLowerCase(), ...words].map((word) => [word, kind] as const),
  ),
);

/**
 * `<name>`, `<namespace>/<name>`, `<kind>/<name>`, or `<kind>/<namespace>/<name>`.
 *
 * @throws UsageError for anything else: half of it may be the name of another one
 */
function nameOf(word: string): ObjectName {
  const parts = word.split("/");
  const known = parts.length > 1 ? kinds.get(parts[0]!.toLowerCase()) : undefined;
  const kind = known ?? "NetworkPolicy";
  const [first, second, ...more] = known === undefined ? parts : parts.slice(1);
  const isNamespaced = kind === "NetworkPolicy";
  if (!first || second === "" || more.length > 0 || (second !== undefined && !isNamespaced)) {
    throw new UsageError(`"${word}" is no name of a policy: write <namespace>/<name>`);
  }
  return second === undefined ? { kind, name: first } : { kind, namespace: first, name: second };
}

function namespaceOf(context: CommandContext, { kind, namespace }: ObjectName): string {
  if (kind !== "NetworkPolicy") return "";
  return namespace ?? namespaceIn(context).namespace ?? "default";
}

/** What holds instead of what was not understood. */
function warn({ stderr }: CommandContext, warnings: readonly string[]): void {
  for (const sentence of warnings) stderr.write(`note: ${sentence}\n`);
}

function refuseWords(words: readonly string[]): void {
  if (words[0] === undefined) return;
  throw new UsageError(`"${words[0]}" is one word too many`);
}

function nothingIn(what: string, written: string): WeaveError {
  return new WeaveError("POLICY_FILE_EMPTY", `there is no ${what} in these files`, {
    remedy: `write ${written} as docs/policy.md has it`,
  });
}

function ofCluster(word: string): WeaveError {
  return new WeaveError("POLICY_OF_CLUSTER", `${word} is a policy of this host's cluster`, {
    remedy: "'kubectl get -o yaml' prints it",
  });
}

function absent(word: string): WeaveError {
  return new WeaveError("POLICY_UNKNOWN", `there is no policy ${word}`, {
    remedy: "'weave policy get' lists those there are",
  });
}
