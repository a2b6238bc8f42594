# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of corridor for bash. The words come from the program itself (its rows of commands and
# their options), so that they are those of the version that is installed.
_corridor() {
  local cur=${COMP_WORDS[COMP_CWORD]} commands words="" rest name
  COMPREPLY=()
  commands=$("${COMP_WORDS[0]}" --commands 2>/dev/null) || return
  # the longest command that the words before the cursor begin with
  local typed="${COMP_WORDS[*]:1:COMP_CWORD-1}" command=""
  while IFS= read -r name; do
    if [[ "$typed " == "$name "* && ${#name} -gt ${#command} ]]; then
      command=$name
    fi
  done <<<"$commands"
  if [[ -z $command ]]; then
    while IFS= read -r name; do
      if [[ -z $typed ]]; then
        words+=" ${name%% *}"
      elif [[ $name == "$typed "* ]]; then
        rest=${name#"$typed "}
        words+=" ${rest%% *}"
      fi
    done <<<"$commands"
    [[ -z $typed ]] && words+=" --help --version"
  elif [[ $cur == -* ]]; then
    # shellcheck disable=SC2086 # a command may be two words
    words=$("${COMP_WORDS[0]}" $command --help 2>/dev/null |
      sed -nE 's/^  (-., )?(--[a-z-]+).*/\2/p')
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _corridor corridor
