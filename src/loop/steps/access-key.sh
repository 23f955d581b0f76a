#!/bin/bash
#
# Makes a key pair for one token and prints the public key. The token arrives in the next command, encrypted with it, so that no log has it.
#
#   WB_KEY   the path of the directory for the private key, on ephemeral disk

set -eu
umask 077
if ! command -v openssl >/dev/null; then
  echo "the image lacks openssl, with which a session receives the token for a private repository" >&2
  exit 127
fi
# What a command that was cut off has left.
rm -rf "${WB_KEY%-*}"-*
mkdir "$WB_KEY"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$WB_KEY/private" 2>/dev/null
openssl pkey -in "$WB_KEY/private" -pubout
