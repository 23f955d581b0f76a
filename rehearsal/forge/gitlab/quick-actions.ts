import type { RequestContext } from './context';

const NAMES = 'approve|assign|assign_reviewer|close|copy_metadata|draft|label|lock|merge|ready|rebase|relabel|reopen|target_branch|title|unassign|unlabel';

/**
 * Text that GitLab does not search for commands, or a command. The patterns are GitLab's, so that what escapes them there escapes here: the end of
 * a block of code is the first line with three backticks, whatever the block began with.
 */
const PATTERN = new RegExp([
  '^```[^]+?\\n```$',
  '^.*`\\n*[^]+?\\n*`$',
  '^<[^>]+?>\\n[^]+?\\n</[^>]+?>$',
  '^>>>[^]+?\\n>>>$',
  `^/(?<command>${NAMES})(?: (?<argument>[^\\n]*))?(?:\\s*\\n|$)`,
].join('|'), 'gim');

/** Carries out the commands in a text for the user of the token. Returns the text without them. */
export function withoutQuickActions({ project, token }: RequestContext, text: string): string {
  const commands: string[] = [];
  const rest = text.replace(/\r/g, '').replace(PATTERN, (match: string, ...more: unknown[]) => {
    const { command, argument = '' } = more.at(-1) as { readonly command?: string; readonly argument?: string };
    if (command === undefined) return match;
    commands.push(`/${command} ${argument}`.trim());
    return '';
  });
  project.quickActions.push(...commands.map((command) => ({ command, login: token.login })));
  return rest.trimEnd();
}
