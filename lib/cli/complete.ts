import { flagsOf, type RoleShape } from "./role_shape.ts";

/** Shells that {@linkcode completions} knows. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Returns the text of `rolecall completions --help`. */
export function completionsHelp(): string {
  return [
    `usage: rolecall completions ${SHELLS.join("|")}`,
    "  Prints what a shell needs to complete roles, flags and their values",
    "",
    "examples:",
    "  source <(rolecall completions bash)",
    "  source <(rolecall completions zsh)",
    "  rolecall completions fish | source",
    "",
  ].join("\n");
}

/** What completion needs of a role. */
type Role = RoleShape & { readonly summary: string };

/** What may stand where a value or an operand is expected. */
interface Values {
  readonly words: readonly string[];
  readonly files: boolean;
}

/** A flag as shells complete it; one without `values` is a switch. */
interface Option {
  /** `--output`, and `-o` if it has a letter. */
  readonly spellings: readonly string[];
  readonly help: string;
  readonly values: Values | undefined;
}

/** Returns a completion script: role names first, then the chosen role's flags, their words, and files where one is wanted. */
export function completions(
  shell: typeof SHELLS[number],
  roles: readonly Role[],
): string {
  switch (shell) {
    case "bash":
      return bash(roles);
    case "zsh":
      return zsh(roles);
    case "fish":
      return fish(roles);
  }
}

function optionsOf(role: Role): readonly Option[] {
  const help = { spellings: ["--help"], help: "Flags and examples" };
  const options = [...flagsOf(role)].map(([name, flag]) => ({
    spellings: [`--${name}`, ...flag.short ? [`-${flag.short}`] : []],
    help: flag.help,
    values: flag.kind === "switch" ? undefined : {
      words: flag.choices ?? [],
      files: /FILE|DIR|MOVIE|^PATH$/.test(flag.placeholder),
    },
  }));
  return [...options, { ...help, values: undefined }];
}

/** What may stand for an operand, in any mode: the scenarios of `demo`, a torrent of `peer`. */
function operandsOf(role: Role): Values {
  const operands = Object.values(role.modes).flatMap(({ operand }) =>
    operand ?? []
  );
  return {
    words: operands.flatMap(({ choices }) => choices ?? []),
    files: operands.some(({ placeholder }) =>
      /FILE|MOVIE|SCENARIO/.test(placeholder)
    ),
  };
}

/** Beside a role, what may come first. */
const FIRST = ["help", "completions", "--help", "--version", "--role"];

function namesOf(roles: readonly Role[]): string {
  return roles.map(({ name }) => name).join(" ");
}

/** The cases of a shell's `case "$before"`: for each flag with a value, what completes it. */
function valueCases(
  options: readonly Option[],
  complete: (values: Values) => string,
): readonly string[] {
  const cases = new Map<string, string[]>();
  for (const { spellings, values } of options) {
    if (values === undefined) continue;
    const body = complete(values);
    cases.set(body, [...cases.get(body) ?? [], ...spellings]);
  }
  return [...cases].map(([body, names]) =>
    `        ${names.join("|")}) ${body}; return;;`
  );
}

function bash(roles: readonly Role[]): string {
  const complete = ({ words, files }: Values) =>
    [
      ...words.length > 0 ? [`_rolecall_words "${words.join(" ")}"`] : [],
      ...files ? [] : ["_rolecall_no_files"],
    ].join("; ") || ":";
  const cases = roles.map((role) => {
    const options = optionsOf(role);
    const names = options.flatMap(({ spellings }) => spellings).join(" ");
    return `    ${role.name})
      case "$before" in
${valueCases(options, complete).join("\n")}
      esac
      if [[ $word == -* ]]; then _rolecall_words "${names}"
      else ${complete(operandsOf(role))}; fi;;`;
  });
  return `_rolecall_words() { COMPREPLY=($(compgen -W "$1" -- "$word")); }
_rolecall_no_files() { compopt +o default 2>/dev/null; }
_rolecall() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local at=1
  if [[ \${COMP_WORDS[1]} == --role ]] && (( COMP_CWORD > 1 )); then at=2; fi
  # bash takes --flag=value apart
  if [[ $at == 2 && \${COMP_WORDS[2]} == = ]]; then at=3; fi
  if [[ $word == = ]]; then word=""
  elif [[ $before == = ]]; then before="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  COMPREPLY=()
  if (( COMP_CWORD <= at )); then
    _rolecall_no_files
    _rolecall_words "${namesOf(roles)} $([[ $at == 1 ]] && echo "${
    FIRST.join(" ")
  }")"
    return
  fi
  case "\${COMP_WORDS[at]}" in
    help) _rolecall_no_files; _rolecall_words "${namesOf(roles)}";;
    completions) _rolecall_no_files; _rolecall_words "${SHELLS.join(" ")}";;
${cases.join("\n")}
  esac
}
complete -o default -F _rolecall rolecall
`;
}

/** A word of zsh or fish between single quotes. */
function quoted(text: string, escape: (character: string) => string): string {
  return `'${text.replace(/['\\]/g, escape)}'`;
}

function zsh(roles: readonly Role[]): string {
  const quote = (text: string) =>
    quoted(text, (character) => character === "'" ? "'\\''" : character);
  const list = (entries: readonly (readonly [string, string])[]) =>
    entries.map(([name, text]) => quote(`${name}:${text}`)).join(" ");
  const complete = ({ words, files }: Values) =>
    [
      ...words.length > 0 ? [`compadd -- ${words.join(" ")}`] : [],
      ...files ? ["_files"] : [],
    ].join("; ") || ":";
  const cases = roles.map((role) => {
    const options = optionsOf(role);
    const names = list(
      options.flatMap(({ spellings, help }) =>
        spellings.map((name) => [name, help] as const)
      ),
    );
    return `    ${role.name})
      case "$before" in
${valueCases(options, complete).join("\n")}
      esac
      if [[ $PREFIX == -* ]]; then names=(${names}); _describe -o flag names
      else ${complete(operandsOf(role))}; fi;;`;
  });
  return `#compdef rolecall
_rolecall() {
  local at=2 before=\${words[CURRENT-1]}
  local -a roles names
  roles=(${list(roles.map(({ name, summary }) => [name, summary]))})
  [[ \${words[2]} == --role ]] && (( CURRENT > 2 )) && at=3
  if [[ $PREFIX == --*=* ]]; then
    before=\${PREFIX%%=*}
    compset -P '*='
  fi
  if (( CURRENT <= at )); then
    _describe role roles
    [[ $at == 2 && $before != --role ]] && compadd -- ${FIRST.join(" ")}
    return
  fi
  case "\${words[at]#--role=}" in
    help) _describe role roles;;
    completions) compadd -- ${SHELLS.join(" ")};;
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == _rolecall ]]; then _rolecall "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
  compdef _rolecall rolecall
fi
`;
}

function fish(roles: readonly Role[]): string {
  const quote = (text: string) => quoted(text, (character) => `\\${character}`);
  const first = "complete -c rolecall -n '__rolecall_is \"\"'";
  const names = quote(namesOf(roles));
  const lines = roles.flatMap((role) => {
    const here = `complete -c rolecall -n '__rolecall_is ${role.name}'`;
    const { words, files } = operandsOf(role);
    return [
      `${first} -a ${role.name} -d ${quote(role.summary)}`,
      ...files ? [`${here} -F`] : [],
      ...words.length > 0 ? [`${here} -a ${quote(words.join(" "))}`] : [],
      ...optionsOf(role).map(({ spellings: [long, short], help, values }) =>
        [
          `${here} -l ${long!.slice(2)}`,
          ...short === undefined ? [] : [`-s ${short.slice(1)}`],
          ...values === undefined ? [] : [values.files ? "-r -F" : "-x"],
          ...values === undefined || values.words.length === 0
            ? []
            : [`-a ${quote(values.words.join(" "))}`],
          `-d ${quote(help)}`,
        ].join(" ")
      ),
    ];
  });
  return `function __rolecall_is
  set -l words (commandline -opc)[2..-1]
  test "$words[1]" = --role; and set -e words[1]
  test (string replace -- --role= '' "$words[1]") = $argv[1]
end
complete -c rolecall -f
${first} -l role -x -a ${names} -d 'The role, by its flag'
${first} -l help -d 'What there is'
${first} -l version -d 'Which program this is'
${first} -a help -d 'Flags and examples of a role'
${first} -a completions -d 'A script for a shell'
complete -c rolecall -n '__rolecall_is completions' -a ${
    quote(SHELLS.join(" "))
  }
complete -c rolecall -n '__rolecall_is help' -a ${names}
${lines.join("\n")}
`;
}
