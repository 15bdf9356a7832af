import { basename } from "node:path";
import { kubeUtilsWords } from "./kube-utils.ts";

/** The words by which pods start the executable, and scripts in them. */
const kubeWord = "kube";
const utilsWord = "kube-utils";

/** What manifests of Weave Net 2.x call. */
const formerNames: Readonly<Record<string, readonly string[]>> = {
  "launch.sh": [kubeWord, "run"],
  // There the other container has no part of the node to install anything in.
  "init.sh": [kubeWord, "init", "--network"],
};

/**
 * The command line of a pod: `weave kube …`, or what pods of Weave Net 2.x have in its place, by the
 * name that is called; `undefined` for all others.
 */
export function podCommand(argv0: string, words: readonly string[]): readonly string[] | undefined {
  const name = basename(argv0);
  const former = formerNames[name];
  if (former !== undefined) return [...former, ...words];
  if (name === utilsWord) return [utilsWord, ...kubeUtilsWords(words)];
  return words[0] === kubeWord || words[0] === utilsWord ? words : undefined;
}
