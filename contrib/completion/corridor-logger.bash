# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of corridor-logger and corridor-reflector for bash. The words come from the programs
# themselves, so that they are those of the version that is installed.
_corridor_logger() {
  local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words
  COMPREPLY=()
  case $previous in
  --config | -c | --socket | --key | -k)
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
    return
    ;;
  esac
  # Options, and the commands that stand in the summary of --help.
  words=$("${COMP_WORDS[0]}" --help 2>/dev/null |
    sed -nE 's/^  (-., )?(--[a-z-]+).*/\2/p; s/^  ([a-z]+) +[a-z].*/\1/p')
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _corridor_logger corridor-logger corridor-reflector
