import { type CommandModel, completionModel, firstFlags, type ValueSource } from "./model.ts";

/** The completion script of bash; needs no helper package. */
export function bashCompletion(): string {
  const model = completionModel();
  const flagArms = model.map(
    ({ name, flags }) => `    ${name}) flags="${flags.flatMap((flag) => flag.names).join(" ")}" ;;`,
  );
  const argumentArms = model
    .filter((command) => command.arguments.length > 0)
    .map((command) => `    ${command.name}) ${command.arguments.map(candidates).join("; ")} ;;`);
  const valueArms = model.flatMap((command) =>
    command.flags.flatMap(({ names, value }) =>
      value === undefined
        ? []
        : [
            `    ${names.map((name) => `"${command.name} ${name}"`).join(" | ")}) ${candidates(value)} ;;`,
          ],
    ),
  );
  return `# bash completion for weave; made from its command table by 'weave completion bash'

_weave_words() { candidates+="$1"$'\\n'; }
_weave_router() { candidates+="$(weave complete-values "$1" 2>/dev/null)"$'\\n'; }

# Sets candidates for the value of a flag; fails when the word before takes none.
_weave_flag_value() {
  case "$1" in
${valueArms.join("\n")}
    *) return 1 ;;
  esac
}

_weave_arguments() {
  case "$1" in
${argumentArms.join("\n")}
  esac
}

_weave() {
  COMPREPLY=()
  # Words as they stand on the line: bash itself splits them at : and =.
  local line="\${COMP_LINE:0:COMP_POINT}" candidates="" flags="" words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local last=$((\${#words[@]} - 1)) command="\${words[1]}"
  local current="\${words[last]}" before="\${words[last - 1]}"
  if ((last == 1)); then
    candidates="${firstWords(model).join(" ")}"
    candidates="\${candidates// /$'\\n'}"
  else
    case "$command" in
${flagArms.join("\n")}
    esac
    if [[ $current == --*=* ]]; then
      before="\${current%%=*}" current="\${current#*=}"
    fi
    if ! _weave_flag_value "$command $before"; then
      if [[ $current == -* ]]; then candidates="\${flags// /$'\\n'}"; else _weave_arguments "$command"; fi
    fi
  fi
  # Not by compgen -W, which expands words: names come from other hosts and may hold anything.
  local candidate
  while IFS= read -r candidate; do
    if [[ -n $candidate && $candidate == "$current"* ]]; then
      COMPREPLY+=("$(printf %q "$candidate")")
    fi
  done <<<"$candidates"
  # Readline replaces only what follows the last colon.
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"\${current%"\${current##*:}"}"}")
  fi
}

complete -F _weave weave
`;
}

function firstWords(model: readonly CommandModel[]): string[] {
  return [...model.map(({ name }) => name), ...firstFlags.flatMap(({ names }) => names)];
}

function candidates(source: ValueSource): string {
  switch (source.from) {
    case "words":
      return source.words.map((word) => `_weave_words ${word}`).join("; ") || ":";
    case "router":
      return `_weave_router ${source.kind}`;
    case "files":
      return `candidates+="$(compgen -f -- "$current")"`;
    case "nothing":
      return ":";
  }
}
