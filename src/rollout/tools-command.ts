import { MANIFEST_PATH } from '../image/constants';

/**
 * A line for bash that runs what verified each tool of an `AgentImage` in its build.
 *
 * The manifest has one tool on a line. Its JSON is read by bash itself: an image may lack every tool that could, and `printf %b` undoes the
 * escapes that JSON has.
 */
export const TOOLS_COMMAND = toolsCommand(MANIFEST_PATH);

/** The same for a manifest elsewhere. */
export function toolsCommand(manifest: string): string {
  return [
    `if [ ! -r '${manifest}' ]; then echo '${manifest} is not there: the image was not made by AgentImage'; exit 1; fi`,
    String.raw`has_name='"name": "([^"]*)"'; has_verify='"verify": "(([^"\]|\.)*)"'; failed=`,
    'while IFS= read -r line; do',
    '  [[ $line =~ $has_name ]] || continue; name=${BASH_REMATCH[1]}',
    '  [[ $line =~ $has_verify ]] || continue; printf -v verify %b "${BASH_REMATCH[1]}"',
    '  if output=$(cd / && sh -c "$verify" 2>&1 < /dev/null); then echo "$name: $output"',
    '  else failed="$failed $name"; echo "$name: \'$verify\' failed: $output"; fi',
    `done < '${manifest}'`,
    'if [ -n "$failed" ]; then echo "the image lacks:$failed"; exit 1; fi',
  ].join('\n');
}
