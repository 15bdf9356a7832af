import {
  type CommandModel,
  completionModel,
  type FlagModel,
  firstFlags,
  type ValueSource,
} from "./model.ts";

/** The completion script of zsh, for a folder of its `fpath`. */
export function zshCompletion(): string {
  const model = completionModel();
  const commands = model.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  return `#compdef weave
# zsh completion for weave; made from its command table by 'weave completion zsh'

_weave_router() {
  local -a values
  values=(\${(f)"$(weave complete-values $1 2>/dev/null)"})
  compadd -a values
}

_weave_arguments_of() {
  case $1 in
${model.map(argumentArm).join("\n")}
  esac
}

_weave() {
  local -a commands
  commands=(
${commands.join("\n")}
  )
  if (( CURRENT == 2 )); then
    if [[ $PREFIX == -* ]]; then compadd -- ${firstFlags.flatMap(({ names }) => names).join(" ")}
    else _describe command commands; fi
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  _weave_arguments_of $command
}

# Loaded by compinit the file is the function; sourced it only defines it.
if [[ $funcstack[1] == _weave ]]; then _weave "$@"; else compdef _weave weave; fi
`;
}

function argumentArm(command: CommandModel): string {
  const flags = command.flags.flatMap(flagSpecs);
  const rest =
    command.arguments.length === 0
      ? []
      : [quote(`*: :{ ${command.arguments.map(action).join("; ")} }`)];
  return `    ${command.name}) _arguments -S ${[...flags, ...rest].join(" ")} ;;`;
}

function flagSpecs(flag: FlagModel): string[] {
  const summary = flag.summary.replaceAll(/[[\]:]/g, " ");
  return flag.names.map((name) => {
    if (flag.value === undefined) return quote(`*${name}[${summary}]`);
    const joined = name.startsWith("--") ? `${name}=` : name;
    return quote(`*${joined}[${summary}]:value:{ ${action(flag.value)} }`);
  });
}

function action(source: ValueSource): string {
  switch (source.from) {
    case "words":
      return source.words.length === 0 ? "_message value" : `compadd ${source.words.join(" ")}`;
    case "router":
      return `_weave_router ${source.kind}`;
    case "files":
      return "_files";
    case "nothing":
      return "_message value";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
