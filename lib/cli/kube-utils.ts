/**
 * The options of `kube-utils`, which the pods of Weave Net 2.x and scripts around them call
 * (kubernetes §5). One of them says what to do, without any the peers are printed; options may have
 * one dash or two, as Go takes them.
 */
const actions: Readonly<Record<string, readonly string[]>> = {
  "check-peer-new": ["check-peer"],
  reclaim: ["reclaim"],
  "run-reclaim-daemon": ["reclaim", "--follow"],
  "set-node-status": ["set-node-status"],
  "print-uid": ["uid"],
};

/** Of what is done there is nothing to be logged that is not said anyway. */
const ignored = "log-level";

/** Words of `weave kube-utils`; what is none of these options stays, for that to refuse. */
export function kubeUtilsWords(words: readonly string[]): string[] {
  let action: readonly string[] = ["peers"];
  const others: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const [, name = "", value] = /^--?([a-z][a-z0-9-]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (Object.hasOwn(actions, name)) {
      if (value === undefined || /^(1|t|true)$/i.test(value)) action = actions[name]!;
    } else if (name !== ignored) others.push(word.replace(/^-(?=[a-z])/, "--"));
    else if (value === undefined) at++;
  }
  return [...action, ...others];
}
