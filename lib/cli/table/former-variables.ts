/** Variables of the environment that Weave Net 2.x read and this version does not act on. */
export interface FormerVariable {
  readonly names: readonly string[];
  /** What to do instead, or why there is nothing to do: a sentence without full stop. */
  readonly answer: string;
  /** Whether `weave launch` says so when one is set: somebody waits for an effect in vain. */
  readonly isMissed: boolean;
}

export const formerVariables: readonly FormerVariable[] = [
  {
    names: ["WEAVE_CONTAINER_NAME"],
    answer: "the router is no container; several on a host have a WEAVE_RUN_DIR each",
    isMissed: true,
  },
  {
    names: ["WEAVE_VERSION"],
    answer: "there are no images; 'weave upgrade-self' changes the version",
    isMissed: true,
  },
  {
    names: [
      "WEAVE_DOCKER_ARGS",
      "WEAVEEXEC_DOCKER_ARGS",
      "WEAVEPROXY_DOCKER_ARGS",
      "WEAVEPLUGIN_DOCKER_ARGS",
    ],
    answer: "the router is no container; 'weave setup-systemd' makes a unit, which has options",
    isMissed: true,
  },
  { names: ["WEAVE_DEBUG"], answer: "write --log-level debug", isMissed: true },
  {
    names: ["WEAVE_NO_PLUGIN", "CHECKPOINT_DISABLE"],
    answer: "there is nothing to switch off",
    isMissed: false,
  },
  { names: ["DOCKERHUB_USER", "EXEC_IMAGE"], answer: "there are no images", isMissed: false },
  { names: ["IPTABLES_BACKEND"], answer: "rules are made as the host has them", isMissed: false },
];

/** A line for each variable that is set and has an effect no more. */
export function missedVariables(
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  return formerVariables
    .filter(({ isMissed }) => isMissed)
    .flatMap(({ names, answer }) =>
      names.filter((name) => environment[name]).map((name) => `${name} has no effect: ${answer}`),
    );
}
