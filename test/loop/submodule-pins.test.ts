import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { useWorkspaces, Workspaces } from '../support/workspace-runs';

const start = useWorkspaces();

/** Returns a remote with a submodule, `sub`, whose own remote is two commits ahead. */
function withSubmodule(url = '../sub.git'): Workspaces {
  const remote = start();
  execFileSync('bash', ['-euc', 'git init -q --bare --initial-branch main sub.git'], { cwd: remote.directory });
  const commit = (name: string) => `echo ${name} > ${name}; git add .; git commit -qm ${name}`;
  remote.others([
    `git init -q sub; cd sub; ${commit('one')}; cd ..; git add sub 2>/dev/null`,
    `printf '[submodule "a name"]\\n\\tpath = sub\\n\\turl = ${url}\\n' > .gitmodules; git add .gitmodules; git commit -qm sub; git push -q origin HEAD:main`,
    `cd sub; ${commit('two')}; ${commit('three')}; git push -q ${join(remote.directory, 'sub.git')} HEAD:main`,
  ].join('\n'));
  return remote;
}

const clone = (remote: Workspaces) => `rm -rf sub; git clone -q ${join(remote.directory, 'sub.git')} sub`;
const IDENTITY = '-c user.name=agent -c user.email=agent@localhost';
const own = `git -C sub ${IDENTITY} commit -q --allow-empty -m own`;

test.each([
  ['the newest commit of its remote', 'true'],
  ['a commit below a branch of its remote', 'git -C sub reset -q --hard HEAD~1'],
  ['a commit of the agent\'s that it has pushed there', `${own}; git -C sub push -q origin HEAD:refs/heads/mine`],
])('a submodule may be moved to %s', async (_, move) => {
  const remote = withSubmodule();
  const { outcome, message, loop } = await remote.run({ agent: `${clone(remote)}; ${move}` });
  expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
  expect(remote.changed(loop.commit!)).toEqual(['sub']);
  // Updates the submodule with git itself, the way a user does.
  remote.others('git -c protocol.file.allow=always submodule update -q --init', 'workbench/task-1');
});

test.each([
  ['has only in the session', own, /sub \(commit [0-9a-f]{40} is not at \.\.\/sub\.git\)/],
  ['fetches from a place in the session', `${own}; git clone -q --bare sub ../mine.git; git config -f .gitmodules "submodule.a name.url" "file://$(cd ..; pwd)/mine.git"`, /sub \(commit \w+ is not at file:.*\/mine\.git\)/],
  ['fetches from a path', `${own}; git clone -q --bare sub ../mine.git; git config -f .gitmodules "submodule.a name.url" "$PWD/../mine.git"`, /sub \(commit \w+ is not at \/.*\/mine\.git\)/],
  ['passes to a command', `${own}; git config -f .gitmodules "submodule.a name.url" "ext::touch ../ran"`, /sub \(commit \w+ is not at ext::touch/],
])('fails the run when a submodule is at a commit that the agent %s', async (_, pin, message) => {
  const remote = withSubmodule();
  const result = await remote.run({ agent: `${clone(remote)}; ${pin}` });
  expect(result.outcome).toBe('CodingLoop.SnapshotFailed');
  expect(result.message).toMatch(message);
  expect(result.message).toContain('push it to the remote of the submodule first');
  expect(remote.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\n');
});

test('accepts a pin that others have set, whatever its state', async () => {
  const remote = withSubmodule('https://127.0.0.1:1/sub.git');
  const { outcome, message } = await remote.run({ agent: 'git mv sub elsewhere 2>/dev/null; echo right > value.txt' });
  expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
});

test('does not check pins in a loop that pushes nothing', async () => {
  const remote = withSubmodule();
  expect((await remote.run({ push: false, agent: `${clone(remote)}; ${own}` })).outcome).toBe('COMMITTED');
});
