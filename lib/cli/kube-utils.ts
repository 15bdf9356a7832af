import { WeaveError } from "../base/errors.ts";

/**
 * The options of `kube-utils`, which the pods of Weave Net 2.x and scripts around them call
 * (kubernetes §5), as words of `weave kube`. One of them says what to do, without any the peers are
 * printed; options may have one dash or two, as Go takes them.
 */
const actions: Readonly<Record<string, readonly string[]>> = {
  "check-peer-new": ["check-peer"],
  reclaim: ["reclaim"],
  "run-reclaim-daemon": ["reclaim", "--follow"],
  "set-node-status": ["set-node-status"],
  "print-uid": ["uid"],
};

const values: Readonly<Record<string, string | undefined>> = {
  "peer-name": "--peer-name",
  "node-name": "--node-name",
  // Of what is done there is nothing to be logged that is not said anyway.
  "log-level": undefined,
};

const retired = "print-k8s-version";

/** @throws WeaveError `KUBE_UTILS` */
export function kubeUtilsWords(words: readonly string[]): string[] {
  let action: readonly string[] = ["peers"];
  const options: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const [, name = "", inline] = /^--?([a-z][a-z0-9-]*)(?:=([\s\S]*))?$/.exec(words[at]!) ?? [];
    if (Object.hasOwn(actions, name)) {
      if (inline === undefined || /^(1|t|true)$/i.test(inline)) action = actions[name]!;
    } else if (Object.hasOwn(values, name)) {
      const value = inline ?? words[++at];
      const flag = values[name];
      if (value === undefined) throw refused(`${words.at(-1)} needs a value`);
      if (flag !== undefined) options.push(`${flag}=${value}`);
    } else if (name === retired) {
      throw refused(`-${retired} is gone, with the check for new versions that it was for`);
    } else throw refused(`kube-utils has no option ${words[at]}`);
  }
  return [...action, ...options];
}

function refused(sentence: string): WeaveError {
  const known = [...Object.keys(actions), ...Object.keys(values)].map((name) => `-${name}`);
  return new WeaveError("KUBE_UTILS", sentence, {
    remedy: `it has ${known.join(", ")}; 'weave kube --help' says what they do`,
  });
}
