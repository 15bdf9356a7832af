import type { AnsweredCommand } from "../command-spec.ts";

/** Commands that tutorials of every age still show, with what to do instead. */
export const answeredCommands: readonly AnsweredCommand[] = [
  {
    names: ["run", "start", "restart"],
    status: "removed",
    answer:
      "Use 'docker run' or 'docker start' after 'eval $(weave env)'; or without that, and then 'weave attach'.",
  },
  {
    names: ["launch-router", "launch-proxy", "launch-plugin"],
    status: "removed",
    answer: "One 'weave launch' starts everything.",
  },
  {
    names: ["stop-router", "stop-proxy", "stop-plugin"],
    status: "removed",
    answer: "Use 'weave stop'.",
  },
  {
    names: ["launch-dns", "stop-dns"],
    status: "removed",
    answer: "DNS is part of 'weave launch'; 'weave launch --no-dns' runs without it.",
  },
  {
    names: ["proxy-env", "proxy-config"],
    status: "removed",
    answer: "Use 'weave env' and 'weave config'.",
  },
  {
    names: ["create-bridge", "attach-router"],
    status: "removed",
    answer: "'weave launch' makes the bridge and attaches the router to it.",
  },
  {
    names: ["join"],
    status: "never",
    answer:
      "Use 'weave launch <peer>' to start and join, or 'weave connect <peer>' when the router runs already.",
  },
  {
    names: ["setup"],
    status: "absent",
    answer: "There are no images to pull; 'weave setup-cni' installs the CNI plugins.",
  },
];
