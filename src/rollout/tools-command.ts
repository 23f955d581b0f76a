import { MANIFEST_PATH } from '../image/constants';

/**
 * A line for bash that runs what verified each tool of an `AgentImage` in its build.
 *
 * The manifest has one tool on a line, with the command at its end. Its JSON is read by bash itself: an image may lack every tool that
 * could. `printf %b` undoes all escapes of JSON but that of a quote. There are no regular expressions, which refuse bytes that are none of
 * the locale's. There is no apostrophe either, so that the service logs it as it is: see docs/decisions/0019.
 */
export const TOOLS_COMMAND = toolsCommand(MANIFEST_PATH);

/** The same for a manifest elsewhere. */
export function toolsCommand(manifest: string): string {
  return [
    `if [ ! -r "${manifest}" ]; then echo "${manifest} is not there: the image was not made by AgentImage"; exit 1; fi`,
    'failed=',
    'while IFS= read -r line; do',
    '  [[ $line == *\\"verify\\":\\ \\"* ]] || continue',
    '  name=${line#*\\"name\\": \\"}; name=${name%%\\"*}; json=${line#*\\"verify\\": \\"}; json=${json%\\"*}',
    '  printf -v verify %b "${json//\\\\\\"/\\"}"',
    '  if output=$(cd / && sh -c "$verify" 2>&1 < /dev/null); then echo "$name: $output"',
    '  else failed="$failed $name"; echo "$name: \\"$verify\\" failed: $output"; fi',
    `done < "${manifest}"`,
    'if [ -n "$failed" ]; then echo "the image lacks:$failed"; exit 1; fi',
  ].join('\n');
}
