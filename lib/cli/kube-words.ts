import { basename } from "node:path";

/** The word by which the pods of a DaemonSet start the executable. */
export const kubeWord = "kube";

/** What manifests of Weave Net 2.x call, as words of ours. */
const formerNames: Readonly<Record<string, readonly string[]>> = {
  "launch.sh": ["run"],
  "init.sh": ["init"],
};

/** Whether this was called by the name under which pods of Weave Net 2.x ask about their cluster. */
export function isKubeUtils(argv0: string): boolean {
  return basename(argv0) === "kube-utils";
}

/** The words of `weave kube`; `undefined` when it is not that which was called. */
export function kubeWords(argv0: string, words: readonly string[]): readonly string[] | undefined {
  const former = formerNames[basename(argv0)];
  if (former !== undefined) return [...former, ...words];
  return words[0] === kubeWord ? words.slice(1) : undefined;
}
