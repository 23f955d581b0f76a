#!/bin/bash
# shellcheck disable=SC2154  # variables that are not set here are set in workspace.sh, which comes before it
#
# Reports the results of functions to the driver. results.ts lists the words that each function has to report, and how often.
#
# Whatever git, its hooks, a remote or a file's name print goes to the log as it comes, and decides nothing. The results of a function are
# kept until it has ended, and reported then, in one block, which is identified by a nonce that none of these has seen:
#
#   @result <nonce>
#   <word> <value>         control characters and backslashes of a value as \xHH
#   @end <nonce> <number of lines>
#
# A function that fails, or is lost, reports nothing.

said=()

encode() { # Returns in REPLY a value encoded on one line; a value that is too long ends in dots
  local value=$1 i character
  ((${#value} <= 500)) || value=${value:0:497}...
  REPLY=$value
  [[ $value == *[[:cntrl:]\\]* ]] || return 0
  REPLY=""
  for ((i = 0; i < ${#value}; i++)); do
    character=${value:i:1}
    [[ $character != [[:cntrl:]\\] ]] || printf -v character "\\\\x%02x" "\"$character"
    REPLY+=$character
  done
}

say() { # Adds the word $1 and the value $2 to the results
  encode "$2"
  said+=("$1 $REPLY")
}

tell() { # Adds to the results the word $1 with the number of values that follow, and with as many of them as there is room for
  local word=$1 value size=0 count=0
  shift
  say "$word-count" $#
  for value; do
    encode "$value"
    size=$((size + ${#REPLY}))
    ((++count <= 50 && size <= 4096)) || return 0
    said+=("$word $REPLY")
  done
}

perform() { # Runs a function to its end, then prints its results
  local line block=""
  "$@" || fail 1 "\"$1\" did not finish"
  for line in ${said[@]+"${said[@]}"}; do block+=$line$newline; done
  printf "\n@result %s\n%s@end %s %s\n" "$nonce" "$block" "$nonce" "${#said[@]}" >&"$answer" || exit 1
}

listed() { # Runs a command that prints a NUL-separated list, and sets `list` to it. Fails if the command does, or if there is no room for its list
  local item
  list=()
  "$@" >"$records/listed" || return
  while IFS= read -r -d "" item; do list+=("$item"); done <"$records/listed"
}
