#!/bin/bash
# shellcheck disable=SC2154  # WB_SEALED and others are environment variables
#
# Lets git read the remote with a token, for the length of this command. Comes after the other parts.
#
#   WB_KEY      the directory with the private key
#   WB_SEALED   the user and the password in encrypted blocks, each in base64
#   WB_ORIGIN   the scheme and the host that git sends them to, and no other
#
# The token is in a file on ephemeral disk, and in no configuration: git reads the file through a credential helper. Helpers of the image
# are left out, since git tells each helper which credential worked.

unset GIT_CURL_VERBOSE GIT_ASKPASS
without_token() { rm -rf "$WB_KEY"; }
trap without_token EXIT
[[ -f $WB_KEY/private ]] || exit 83 # the microVM was replaced
for block in $WB_SEALED; do
  (umask 077 && base64 -d <<<"$block" | openssl pkeyutl -decrypt -inkey "$WB_KEY/private" -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 >>"$WB_KEY/credential") \
    || fail 76 "cannot decrypt the token for the repository"
done
rm -f "$WB_KEY/private"
for setting in "" "!f() { [ \"\$1\" != get ] || cat \"$WB_KEY/credential\"; }; f"; do
  export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=credential.$WB_ORIGIN.helper" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=$setting" GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
done
unset WB_SEALED
