import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ForgeRepository } from '../store';
import { Answer, ApiError } from './answers';
import type { RequestContext } from './context';
import { nodeId, numberOf } from './objects';
import type { Shape } from './shapes';

const PERSON = { name: 'string!', email: 'string!', date: 'string' } as const;
export const NEW_COMMIT: Shape = { message: 'string!', tree: 'string!', parents: 'string[]', author: PERSON, committer: PERSON, signature: 'string' };

/** Nobody can check it: it stands where GitHub's own signature is. */
const SIGNATURE = '-----BEGIN PGP SIGNATURE-----\n\nemulated\n-----END PGP SIGNATURE-----';

interface Person {
  readonly name: string;
  readonly email: string;
  readonly date?: string;
}

/** `POST /repos/{owner}/{repo}/git/commits`. The commits of apps are signed if they do not say who wrote them. */
export async function createCommit(context: RequestContext, repository: ForgeRepository): Promise<Answer> {
  const { store, body, token, origin, state } = context;
  const [tree, parents] = [String(body.tree), body.parents as readonly string[] ?? []];
  const isA = async (id: string, type: string) => /^[0-9a-f]{40}$/.test(id) && await store.git(repository, 'cat-file', '-t', id).catch(() => undefined) === type;
  if (!await isA(tree, 'tree')) throw new ApiError(422, 'Tree SHA does not exist');
  for (const parent of parents) {
    if (!await isA(parent, 'commit')) throw new ApiError(422, 'Parent SHA does not exist or is not a commit object');
  }
  const isApp = token!.installationId !== undefined;
  const self = { name: token!.login, email: `${numberOf(token!.login)}+${token!.login}@users.noreply.github.com` };
  const author = (body.author as Person | undefined) ?? self;
  const committer = (body.committer as Person | undefined) ?? author;
  const isSigned = isApp && body.author === undefined && body.committer === undefined;
  const message = String(body.message);
  const time = ({ date }: Person) => Math.floor((date === undefined ? store.now() : Date.parse(date)) / 1_000);
  const line = (person: Person) => `${person.name} <${person.email}> ${time(person)} +0000`;
  const headers = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${line(author)}`, `committer ${line(committer)}`];
  const payload = `${headers.join('\n')}\n\n${message}`;
  const signed = isSigned ? [...headers, `gpgsig ${SIGNATURE.replace(/\n/g, '\n ')}`] : headers;
  const sha = await written(repository, `${signed.join('\n')}\n\n${message}`);
  const url = `${origin}/api/v3/repos/${repository.owner}/${repository.name}/git`;
  const html = `${origin}/${repository.owner}/${repository.name}/commit`;
  const person = (one: Person) => ({ name: one.name, email: one.email, date: new Date(time(one) * 1_000).toISOString().replace('.000', '') });
  return {
    status: 201,
    body: {
      sha,
      node_id: nodeId('C', numberOf(sha)),
      url: `${url}/commits/${sha}`,
      html_url: `${html}/${sha}`,
      author: person(author),
      committer: person(committer),
      message,
      tree: { sha: tree, url: `${url}/trees/${tree}` },
      parents: parents.map((parent) => ({ sha: parent, url: `${url}/commits/${parent}`, html_url: `${html}/${parent}` })),
      verification: isSigned
        ? { verified: true, reason: 'valid', signature: SIGNATURE, payload, verified_at: state.time() }
        : { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
    },
  };
}

async function written({ directory }: ForgeRepository, commit: string): Promise<string> {
  const git = spawn('git', ['-c', 'safe.directory=*', '--git-dir', directory, 'hash-object', '-t', 'commit', '-w', '--stdin'], { stdio: ['pipe', 'pipe', 'ignore'] });
  git.stdin.end(commit);
  let id = '';
  git.stdout.on('data', (piece: Buffer) => void (id += piece.toString()));
  const [code] = await once(git, 'close') as [number];
  if (code !== 0) throw new ApiError(422, 'The commit is not valid');
  return id.trim();
}
