import { Fate, GitHttpServer } from '../support/git-http';
import { useWorkspaces, Workspaces } from '../support/workspace-runs';

const start = useWorkspaces();
const BRANCH = 'workbench/task-1';
const PUSH = 'POST /remote.git/git-receive-pack';

let server: GitHttpServer;
afterEach(() => server.close());

async function remoteOverHttp(depth = 1): Promise<Workspaces> {
  const remote = start({ depth, url: () => `${server.url}/remote.git` });
  server = await GitHttpServer.start(remote.directory);
  return remote;
}

/** Applies a fate to the first request that starts with this text. */
function once(request: string, fate: Fate): void {
  let struck = false;
  server.fate = (name) => {
    if (struck || !name.startsWith(request)) return undefined;
    struck = true;
    return fate;
  };
}

test.each([[1], [0]])('a run clones, rebases onto what others pushed, and pushes over smart HTTP, with a depth of %d', async (depth) => {
  const remote = await remoteOverHttp(depth);
  const { outcome, message, loop } = await remote.run({
    meanwhile: (time) => { if (time === 0) remote.others(`echo theirs > theirs; git add .; git commit -qm theirs; git push -q origin HEAD:${BRANCH}`); },
  });
  expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
  expect(remote.subjects()).toEqual(['Prompt 1', 'theirs', 'the beginning']);
  expect(remote.changed(loop.commit!)).toEqual(['value.txt']);
  expect(server.requests).toContain(PUSH);
});

test.each<[string, Fate]>([
  ['is cut off before it arrives', 'cut before'], ['arrives, and its answer does not', 'cut after'], ['meets a host that has no time', 503],
])('a push that %s arrives exactly once', async (_, fate) => {
  const remote = await remoteOverHttp();
  once(PUSH, fate);
  const { outcome, message, loop } = await remote.run();
  expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
  expect(remote.git('rev-parse', BRANCH).trim()).toBe(loop.commit);
  expect(remote.subjects()).toEqual(['Prompt 1', 'the beginning']);
});

test('reports an unknown outcome if the remote stops responding once the push has arrived', async () => {
  const remote = await remoteOverHttp();
  let down = false;
  server.fate = (name) => {
    if (down) return 'cut before';
    down = name === PUSH;
    return down ? 'cut after' : undefined;
  };
  const { outcome, message } = await remote.run();
  expect([outcome, message]).toEqual(['CodingLoop.PushUnknown', expect.stringContaining('it is unknown whether the push arrived')]);
  expect(remote.subjects()).toEqual(['Prompt 1', 'the beginning']);
});

test.each([[401, 'could not read Username'], [403, '403'], [404, 'not found']])('a push that is answered with %d is not retried', async (status, words) => {
  const remote = await remoteOverHttp();
  server.fate = (name) => name.includes('git-receive-pack') ? status : undefined;
  const { outcome, message } = await remote.run();
  expect([outcome, message]).toEqual(['CodingLoop.CommitFailed', expect.stringContaining(words)]);
  expect(server.requests.filter((name) => name.includes('git-receive-pack')).length).toBeLessThanOrEqual(2);
});

test('the output of the host\'s hook is in the record', async () => {
  const remote = await remoteOverHttp();
  remote.hook('pre-receive', 'cat >/dev/null; echo "GH006: Protected branch update failed" >&2; exit 1');
  const { outcome, message } = await remote.run();
  expect([outcome, message]).toEqual(['CodingLoop.CommitFailed', expect.stringMatching(/remote: GH006: Protected branch update failed[^]*\[remote rejected\]/)]);
});

test('a run survives a remote that is down for a moment, by checking the branch again', async () => {
  const remote = await remoteOverHttp();
  let cuts = 0;
  server.fate = (name) => name.startsWith('GET') && name.includes('upload-pack') && remote.sent.at(-1)?.startsWith('commit') && cuts++ < 2 ? 'cut before' : undefined;
  expect((await remote.run()).outcome).toBe('COMMITTED');
  expect(cuts).toBeGreaterThanOrEqual(2);
});
