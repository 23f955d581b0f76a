import { Gate, Verification } from '../../src';
import { IN_PROCESS, LoopFixtureProps, useLoops } from '../support/loop-fixture';

// What only the agent's workspace has is named when a gate, or the bootstrap, fails in a clean checkout.
// The handlers run in this process, where coverage sees them.
process.env[IN_PROCESS] = '1';

const start = useLoops();
const verification = Verification.inFreshSession();

/** A gate that passes only in the session of the agent, and a bootstrap that leaves ignored files and a package in both. */
const NEEDS = Gate.command('test', '[[ $(id -u) == 0 ]]');
const FILES = { '.gitignore': 'node_modules/\ndist/\n.venv/\n.env\n*.log\n', 'setup.sh': '#!/bin/bash\nmkdir -p dist node_modules/{declared,@scope/declared,.bin} && echo x >dist/index.js\n' };

/** Runs a loop whose first change fails in the verification, and returns the feedback. */
async function failed(agent: string, props: LoopFixtureProps['loop'] = {}) {
  const loop = await start({ files: FILES, agent: `${agent}; echo x >>new`, loop: { verification, bootstrap: ['./setup.sh'], gates: [NEEDS], maxRepairs: 0, ...props } });
  const { feedback } = (await loop.run()).record;
  expect(feedback).toMatchObject({ cleanCheckout: true });
  return { loop, feedback: feedback!, only: feedback!.onlyInWorkspace };
}

test('nothing is named if the workspace has nothing more', async () => {
  const { loop, feedback } = await failed(':', { maxRepairs: 1 });
  expect(feedback).not.toHaveProperty('onlyInWorkspace');
  expect(loop.turns[1].prompt).not.toContain('Only in your workspace');
  // In each round, once as the user of the agent's session, and once as that of the code under test.
  const listings = loop.server.calls.of('InvokeAgentRuntimeCommand').map(({ command = '' }) => command).filter((command) => command.includes('job=differs'));
  expect(listings.map((command) => [command.includes('mount=/tmp/'), command.includes('user=65534')])).toEqual(expect.arrayContaining([[false, false], [true, true]]));
  expect(listings.filter((command) => command.includes('mount=/tmp/') !== command.includes('user=65534'))).toEqual([]);
});

test('ignored files, packages and programs are named', async () => {
  const { only, loop } = await failed([
    'mkdir -p node_modules/{left-pad,@scope/more,.cache} dist/deep/er .venv/lib/python3.11/site-packages/{Flask_Login-0.6.3,declared-1.0}.dist-info',
    'mkdir -p /usr/local/lib/python3.11/site-packages/requests-2.0.egg-info',
    'echo x >dist/needed.js; touch dist/deep/er/a dist/deep/er/b .env debug.log .venv/pyvenv.cfg',
    'printf "#!/bin/bash\\n" >/usr/local/bin/ruff-of-agent; chmod +x /usr/local/bin/ruff-of-agent; mkdir -p ~/.cargo/bin; touch ~/.cargo/bin/cargo-of-agent',
  ].join('; '), { maxRepairs: 1 });
  expect(only).toEqual({
    files: { names: ['.env', '.venv/', 'dist/deep/', 'dist/needed.js', 'debug.log'], count: 5 },
    packages: { names: ['@scope/more', 'Flask_Login', 'left-pad', 'requests'], count: 4 },
    programs: { names: ['cargo-of-agent', 'ruff-of-agent'], count: 2 },
  });
  expect(loop.turns[1].prompt).toContain([
    'Only in your workspace, and not in the clean checkout:',
    '  files that git ignores: .env, .venv/, dist/deep/, dist/needed.js, debug.log',
    '  packages that the bootstrap does not install: @scope/more, Flask_Login, left-pad, requests',
    '  programs: cargo-of-agent, ruff-of-agent',
    'The end of its output:',
  ].join('\n'));
});

test('a failed bootstrap is told of programs and packages outside of the clone, not of all that it has not installed', async () => {
  const { only } = await failed('mkdir -p /usr/local/lib/node_modules/global-of-agent; touch /usr/local/bin/tool-of-agent', { bootstrap: ['[[ ! -e new ]]; ./setup.sh'] });
  expect(only).toEqual({ files: { names: ['dist/'], count: 1 }, packages: { names: ['global-of-agent'], count: 1 }, programs: { names: ['tool-of-agent'], count: 1 } });
});

test('many thousands of files are a few names, and a number', async () => {
  const { only } = await failed('mkdir -p dist/{a,b} .venv; (cd dist/a && touch {1..30000}); (cd .venv && touch {1..3000}); touch {1..2500}.log');
  expect(only!.files).toMatchObject({ names: expect.arrayContaining(['.venv/', '1.log']) });
  expect(only!.files!.names).toHaveLength(10);
  expect(only!.files!.count).toBeGreaterThanOrEqual(2_500);
});

test('a clean checkout with more files than are listed is compared by what git names', async () => {
  const { only } = await failed('mkdir .venv && touch .venv/a dist/of-agent', { bootstrap: ['./setup.sh; mkdir -p dist/many; cd dist/many; touch {1..21000}'] });
  expect(only).toEqual({ files: { names: ['.venv/'], count: 1 } });
});

test('names are shown, and nothing in them is run', async () => {
  const { only } = await failed([
    'cd node_modules; mkdir -- "\\$(touch pwned)" "-rf" "a b" $\'new\\nline\' $\'\\e[31mred\' $\'\\xff\'; cd ..',
    'mkdir "dist/\\$(touch pwned)"; touch "dist/\\$(touch pwned)/x" "dist/-delete" $\'dist/two\\nlines\' "dist/`printf %0220d 0`" $\'dist/\\u202Eright\'',
    'touch "/usr/local/bin/\\`touch pwned\\`"',
  ].join('; '));
  expect(only!.packages!.names).toEqual(expect.arrayContaining(['$(touch pwned)', '-rf', 'a b', 'new\\u{a}line', '\\u{1b}[31mred', '\ufffd']));
  expect(only!.files!.names).toEqual(expect.arrayContaining(['dist/$(touch pwned)/', 'dist/-delete', 'dist/two\\u{a}lines', 'dist/\\u{202e}right']));
  expect(only!.files!.names.every((name) => name.length <= 200)).toBe(true);
  expect(only!.programs!.names).toEqual(['`touch pwned`']);
});

describe('an agent that does with git what it likes', () => {
  test.each([
    ['removes .git', 'rm -rf .git'],
    ['replaces .git by a link', 'rm -rf .git; ln -s /nowhere .git'],
    ['replaces .git by another repository that ignores everything', 'rm -rf .git; git init -q .; echo "*" >.git/info/exclude; git config core.excludesFile /dev/stdin; git config core.worktree /'],
    ['has a monitor and an excludes file in its configuration', 'git config core.fsmonitor "touch /tmp/ran; false"; git config core.excludesFile /etc/passwd; git config core.bare true'],
  ])('%s is told all the same', async (_, script) => {
    const { only } = await failed(`${script}; mkdir .venv; touch .venv/x`);
    expect(only).toEqual({ files: { names: ['.venv/'], count: 1 } });
  });

  test.each([
    ['without an end', 'i=0; while :; do printf "%0150d\\0" $((i++)) || exit; done', 3],
    ['the same without an end', 'while printf "x\\0"; do :; done; exit', 1],
    ['nothing', 'exit 1', 0],
    ['something else', 'head -c 100000 /dev/zero | tr "\\0" x; exit', 0],
    ['nothing, and ends its shell', 'kill -KILL 0; exit', 0],
  ])('replaces git by a program that lists %s, and gets its feedback all the same', async (_, lie, names) => {
    const program = `#!/bin/bash\nif [[ \${WORKBENCH_JOB-} == differs* && $* == *--ignored* ]]; then ${lie}; fi\nexec /usr/bin/git.real "$@"\n`;
    const { only } = await failed(`mv /usr/bin/git /usr/bin/git.real; base64 -d <<<${Buffer.from(program).toString('base64')} >/usr/bin/git; chmod +x /usr/bin/git; mkdir .venv; touch .venv/x`);
    expect(only?.programs?.names).toEqual(['git.real']);
    expect(only?.files?.names ?? []).toHaveLength(names);
  });
});

test.each([
  ['of the agent', false],
  ['of the verification', true],
])('a listing that is lost with the microVM %s changes nothing', async (_, isThere) => {
  const loop = await start({ files: FILES, agent: 'echo x >>new; mkdir -p .venv; touch .venv/x', loop: { verification, bootstrap: ['./setup.sh'], gates: [NEEDS], maxRepairs: 0 } });
  const fault = loop.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand',
    at: 'midOutput',
    kind: 'replaceMicrovm',
    match: ({ command = '' }) => /job=differs/.test(command) && command.includes('mount=/tmp/') === isThere,
  });
  const { record } = await loop.run();
  expect(fault.fired).toBe(1);
  expect(record).toMatchObject({ outcome: 'CodingLoop.Red', feedback: { gate: 'test', cleanCheckout: true } });
});
