#!/bin/bash
# shellcheck disable=SC2154  # variables that are not here are those of workspace.sh, which comes before it
#
# What the functions say to the driver. Each word that one of them has to say, and how often, stands in results.ts.
#
# Everything that git, its hooks, a remote or a file's name print goes to the log as it comes, and decides nothing. What a function says is
# kept until it has come to its end, and told then, in one block, which is named by a nonce that nothing of that has seen:
#
#   @result <nonce>
#   <word> <value>         control characters and backslashes of a value as \xHH
#   @end <nonce> <number of lines>
#
# A function that fails, or is lost, has told nothing.

said=()

encode() { # in REPLY, on one line; a value that is too long ends in dots
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

say() { # word, value
  encode "$2"
  said+=("$1 $REPLY")
}

tell() { # word, values: how many they are, and as many of them as have a place
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

perform() { # a function, to its end
  local line block=""
  "$@" || fail 1 "\"$1\" did not come to its end"
  for line in ${said[@]+"${said[@]}"}; do block+=$line$newline; done
  printf "\n@result %s\n%s@end %s %s\n" "$nonce" "$block" "$nonce" "${#said[@]}" >&"$answer" || exit 1
}

listed() { # runs a command that prints a list, with NULs; in `list`. Fails if the command does, or if its list has no place
  local item
  list=()
  "$@" >"$records/listed" || return
  while IFS= read -r -d "" item; do list+=("$item"); done <"$records/listed"
}
