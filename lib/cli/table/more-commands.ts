import type { CommandSpec } from "../command-spec.ts";

/** Help for people and shells. */
export const moreCommands: readonly CommandSpec[] = [
  {
    name: "help",
    group: "More",
    summary: "explain weave or one of its commands",
    description: ["The same as `weave --help` and `weave <command> --help`."],
    arguments: [
      {
        kind: "command",
        placeholder: "command",
        summary: "the command to explain",
        minimum: 0,
        maximum: 1,
      },
    ],
    flags: [],
    examples: [{ line: "weave help launch", explains: "every option of launch" }],
  },
  {
    name: "completion",
    group: "More",
    summary: "print the completion script of a shell",
    description: ["Prints a script that teaches a shell to complete weave's commands and values."],
    arguments: [
      {
        kind: "choice",
        placeholder: "shell",
        choices: ["bash", "zsh", "fish"],
        summary: "the shell",
        minimum: 1,
        maximum: 1,
      },
    ],
    flags: [],
    examples: [{ line: ". <(weave completion bash)", explains: "for this shell only" }],
  },
  {
    name: "complete-values",
    group: "More",
    hidden: true,
    summary: "list values for the completion scripts",
    description: ["Prints the containers, peers or names known here, one a line. Never fails."],
    arguments: [
      {
        kind: "choice",
        placeholder: "kind",
        choices: ["container", "peer", "peer-id", "fqdn", "place", "policy"],
        summary: "what to list",
        minimum: 1,
        maximum: 1,
      },
    ],
    flags: [],
    examples: [],
  },
];
