import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PushRules } from './push-rules';

/** The environment variable with the rules of a repository, as JSON. */
const RULES = 'WORKBENCH_FORGE_RULES';

/**
 * The pre-receive hook of the forge's repositories. Git runs it while the objects are in quarantine, and sends its words to the client.
 *
 * It is plain JavaScript, because its process is a Node.js without TypeScript. The words are those of GitHub.
 */
const HOOK = `
const { execFileSync } = require('child_process');
const git = (input, ...args) => execFileSync('git', args, { input, maxBuffer: 1024 * 1024 * 1024 });
const { protectedBranches, rulesets, maxFileBytes, secrets, url } = JSON.parse(process.env.${RULES});
const none = /^0+$/;
const updates = require('fs').readFileSync(0, 'utf8').trim().split('\\n').map((line) => line.split(' '));
const say = (...lines) => process.stderr.write(lines.join('\\n') + '\\n');
const refuse = (...lines) => {
  say(...lines);
  process.exitCode = 1;
};
const fits = (pattern, ref) => new RegExp('^refs/heads/' + pattern.replace(/[.+^\${}()|[\\]\\\\]/g, '\\\\$&').replace(/\\*/g, '.*') + '$').test(ref);
const violations = (rules, ref) => rules.filter(({ branch }) => fits(branch, ref)).flatMap(({ says }) => says);
for (const [, , ref] of updates) {
  const said = violations(protectedBranches, ref);
  if (said.length > 0) refuse('error: GH006: Protected branch update failed for ' + ref + '.', ...said.map((text) => 'error: ' + text));
  const violated = violations(rulesets, ref);
  if (violated.length === 0) continue;
  refuse('error: GH013: Repository rule violations found for ' + ref + '.', 'Review all repository rules at ' + url + '/rules?ref=' + encodeURIComponent(ref), '',
    ...violated.flatMap((text) => ['- ' + text, '']));
}
const tips = updates.map(([, to]) => to).filter((to) => !none.test(to));
const files = new Map(); // by the ID of the blob
if (process.exitCode === undefined && tips.length > 0) {
  for (const line of git('', 'rev-list', '--objects', ...tips, '--not', '--all').toString().split('\\n')) {
    const at = line.indexOf(' ');
    if (at > 0) files.set(line.slice(0, at), line.slice(at + 1));
  }
}
const sizes = git([...files.keys()].join('\\n'), 'cat-file', '--batch-check').toString().split('\\n').map((line) => line.split(' '))
  .filter(([, type]) => type === 'blob').map(([id, , size]) => [id, Number(size)]);
const megabytes = (size) => (size / 1048576).toFixed(2) + ' MB';
const large = sizes.filter(([, size]) => size > maxFileBytes);
if (large.length > 0) {
  refuse('error: Trace: ' + '0'.repeat(64), 'error: See https://gh.io/lfs for more information.',
    ...large.map(([id, size]) => 'error: File ' + files.get(id) + ' is ' + megabytes(size) + '; this exceeds GitHub\\'s file size limit of ' + megabytes(maxFileBytes)),
    'error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com.');
}
const kinds = Object.entries(secrets).map(([kind, pattern]) => [kind, new RegExp(pattern)]);
const found = [];
for (const [id, size] of kinds.length === 0 || large.length > 0 ? [] : sizes) {
  if (size > 1048576) continue; // as at GitHub, large files are not searched
  const text = git('', 'cat-file', 'blob', id).toString('latin1');
  for (const [kind, pattern] of kinds) {
    const hit = pattern.exec(text);
    if (hit) found.push([kind, files.get(id) + ':' + text.slice(0, hit.index).split('\\n').length]);
  }
}
if (found.length > 0) {
  const line = '\\u2014'.repeat(41);
  refuse('error: GH013: Repository rule violations found for ' + updates[0][2] + '.', '', '- GITHUB PUSH PROTECTION', '  ' + line,
    '    Resolve the following violations before pushing again', '', '    - Push cannot contain secrets', '',
    '     (?) Learn how to resolve a blocked push',
    '     https://docs.github.com/code-security/secret-scanning/working-with-secret-scanning-and-push-protection/'
      + 'working-with-push-protection-from-the-command-line#resolving-a-blocked-push', '',
    ...found.flatMap(([kind, place]) => ['      \\u2014\\u2014 ' + kind + ' ' + line, '       locations:', '         - commit: ' + tips[0], '           path: ' + place, '',
      '       (?) To push, remove secret from commit(s) or follow this URL to allow the secret.', '       ' + url + '/security/secret-scanning/unblock-secret/local', '']));
}
`;

/** Writes the hook. Returns the configuration of git that makes repositories run it. */
export function installHook(root: string): Readonly<Record<string, string>> {
  const directory = join(root, '.hooks');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'pre-receive.js'), HOOK);
  writeFileSync(join(directory, 'pre-receive'), `#!/bin/sh\nexec '${process.execPath.replace(/'/g, '\'\\\'\'')}' "$0.js"\n`, { mode: 0o755 });
  return { 'core.hooksPath': directory };
}

/** Returns the environment that hands the rules to the hook. @param url the address of the repository, which the words name */
export function rulesEnvironment(rules: PushRules, url: string): Readonly<Record<string, string>> {
  return { [RULES]: JSON.stringify({ ...rules, url }) };
}

/**
 * Returns the reason that GitHub gives for a push which the hook refused. Git itself would say `pre-receive hook declined`.
 *
 * @param words what the hook said
 */
export function declinedReason(words: string): string | undefined {
  if (words.includes('GH006: ')) return 'protected branch hook declined';
  return words.includes('GH013: ') ? 'push declined due to repository rule violations' : undefined;
}
