import { flagsOf, type RoleShape } from "./role_shape.ts";

/** Shells that {@linkcode completions} knows. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Returns a completion script: role names first, then the chosen role's flags and their words. */
export function completions(
  shell: typeof SHELLS[number],
  roles: readonly (RoleShape & { readonly summary: string })[],
): string {
  switch (shell) {
    case "bash":
      return bash(roles);
    case "zsh":
      return `#compdef rolecall\nautoload -U +X bashcompinit && bashcompinit\n${
        bash(roles)
      }`;
    case "fish":
      return fish(roles);
  }
}

function flagNames(role: RoleShape): string {
  return [...flagsOf(role).keys(), "help"].map((name) => `--${name}`).join(" ");
}

/** Words that may stand for an operand: the scenarios of `demo`. */
function operands(role: RoleShape): readonly string[] {
  return Object.values(role.modes).flatMap(({ operand }) =>
    operand?.choices ?? []
  );
}

function bash(roles: readonly RoleShape[]): string {
  const cases = roles.map((role) => {
    const words = [...flagsOf(role)].filter(([, { choices }]) => choices)
      .map(([name, { choices }]) =>
        `      --${name}) COMPREPLY=($(compgen -W "${
          choices!.join(" ")
        }" -- "$word")); return;;`
      );
    return [
      `    ${role.name})`,
      `      case "$before" in`,
      ...words,
      `      esac`,
      `      [[ $word == -* ]] && COMPREPLY=($(compgen -W "${
        flagNames(role)
      }" -- "$word"))`,
      ...operands(role).length === 0 ? [] : [
        `      [[ $word != -* ]] && COMPREPLY=($(compgen -W "${
          operands(role).join(" ")
        }" -f -- "$word"))`,
      ],
      "      ;;",
    ].join("\n");
  });
  const names = [
    ...roles.map(({ name }) => name),
    "completions",
    "--help",
    "--version",
    "--role",
  ].join(" ");
  return `_rolecall() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local at=1
  [[ \${COMP_WORDS[1]} == --role ]] && (( COMP_CWORD > 1 )) && at=2
  COMPREPLY=()
  if [[ $COMP_CWORD == "$at" ]]; then
    COMPREPLY=($(compgen -W "${names}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[at]}" in
    completions) COMPREPLY=($(compgen -W "${SHELLS.join(" ")}" -- "$word"));;
${cases.join("\n")}
  esac
}
complete -o default -F _rolecall rolecall
`;
}

function fish(
  roles: readonly (RoleShape & { readonly summary: string })[],
): string {
  const quote = (text: string) => `'${text.replace(/['\\]/g, "\\$&")}'`;
  const first = "complete -c rolecall -n __fish_use_subcommand";
  const shells = "__fish_seen_subcommand_from completions";
  const program = [
    `${first} -f`,
    `${first} -l role -x -a ${
      quote(roles.map(({ name }) => name).join(" "))
    } -d 'The role, by its flag'`,
    `${first} -l help -d 'What there is'`,
    `${first} -l version -d 'Which program this is'`,
    `${first} -a completions -d 'A script for a shell'`,
    `complete -c rolecall -n '${shells}' -f -a ${quote(SHELLS.join(" "))}`,
  ];
  const lines = roles.flatMap((role) => [
    `${first} -a ${role.name} -d ${quote(role.summary)}`,
    ...operands(role).map((word) =>
      `complete -c rolecall -n '__fish_seen_subcommand_from ${role.name}' -a ${word}`
    ),
    ...[...flagsOf(role)].map(([name, flag]) =>
      [
        `complete -c rolecall -n '__fish_seen_subcommand_from ${role.name}'`,
        `-l ${name}`,
        flag.kind === "switch" ? "" : "-r",
        flag.choices === undefined
          ? ""
          : `-f -a ${quote(flag.choices.join(" "))}`,
        `-d ${quote(flag.help)}`,
      ].filter((part) => part !== "").join(" ")
    ),
  ]);
  return `${[...program, ...lines].join("\n")}\n`;
}
