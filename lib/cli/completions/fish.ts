import { completionModel, type FlagModel, firstFlags, type ValueSource } from "./model.ts";

/** The completion script of fish. */
export function fishCompletion(): string {
  const model = completionModel();
  const lines = [
    "# fish completion for weave; made from its command table by 'weave completion fish'",
    "complete -c weave -f",
  ];
  for (const flag of firstFlags) {
    lines.push(`complete -c weave -n __fish_is_first_token ${flagWords(flag)}`);
  }
  for (const command of model) {
    const on = `-n '__fish_seen_subcommand_from ${command.name}; and not __fish_is_first_token'`;
    lines.push(
      `complete -c weave -n __fish_is_first_token -a ${command.name} -d ${quote(command.summary)}`,
    );
    for (const source of command.arguments) {
      const values = offered(source);
      if (values !== "") lines.push(`complete -c weave ${on} ${values}`);
    }
    for (const flag of command.flags) lines.push(`complete -c weave ${on} ${flagWords(flag)}`);
  }
  return `${lines.join("\n")}\n`;
}

function flagWords(flag: FlagModel): string {
  const names = flag.names.map((name) =>
    name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const value = flag.value === undefined ? "" : ` -r ${offered(flag.value)}`.trimEnd();
  return `${names.join(" ")}${value} -d ${quote(flag.summary)}`;
}

function offered(source: ValueSource): string {
  switch (source.from) {
    case "words":
      return source.words.length === 0 ? "" : `-a ${quote(source.words.join(" "))}`;
    case "router":
      return `-a '(weave complete-values ${source.kind} 2>/dev/null)'`;
    case "files":
      return "-F";
    case "nothing":
      return "";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
