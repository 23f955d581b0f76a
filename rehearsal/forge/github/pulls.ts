import type { ForgeRepository } from '../store';
import { Answer, ApiError, FieldError, notFound, validationFailed } from './answers';
import { fullPullObject, labelObject, pullObject, teamObject } from './content-objects';
import { pageOf, RequestContext } from './context';
import type { ForgePull } from './state';

/** The maximum number of characters of a title, and of a body. */
const LENGTHS = { title: 256, body: 65_536 } as const;

function tooLong(body: RequestContext['body']): FieldError[] {
  return (['title', 'body'] as const).filter((field) => [...String(body[field] ?? '')].length > LENGTHS[field]).map((field) => (
    { resource: 'Issue', code: 'custom', field, message: `${field} is too long (maximum is ${LENGTHS[field]} characters)` }));
}

async function commitOf({ store }: RequestContext, repository: ForgeRepository, branch: string): Promise<string | undefined> {
  // As an argument of its own it could be an option.
  return store.git(repository, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`).catch(() => undefined);
}

/** Returns the pull requests, with the present commits of their branches. */
async function pullsOf(context: RequestContext, repository: ForgeRepository): Promise<readonly ForgePull[]> {
  const { pulls } = context.state.of(repository);
  for (const pull of pulls.filter(({ state }) => state === 'open')) {
    pull.headSha = await commitOf(context, repository, pull.head) ?? pull.headSha;
    pull.baseSha = await commitOf(context, repository, pull.base) ?? pull.baseSha;
  }
  return pulls;
}

/** `GET /repos/{owner}/{repo}/pulls` */
export async function listPulls(context: RequestContext, repository: ForgeRepository): Promise<Answer> {
  const { query, state, origin } = context;
  const asked = query.get('state') ?? 'open';
  const [head, base] = [query.get('head'), query.get('base')];
  // A head without an owner is ignored, as at GitHub.
  const found = (await pullsOf(context, repository)).filter((pull) => (asked === 'all' || pull.state === asked)
    && (head === null || !head.includes(':') || head.toLowerCase() === `${repository.owner}:${pull.head}`.toLowerCase())
    && (base === null || base === pull.base));
  const { items, headers } = pageOf([...found].reverse(), context, `${origin}/api/v3/repositories/${state.of(repository).id}/pulls`);
  return { status: 200, headers, body: items.map((pull) => pullObject(pull, state.of(repository), origin)) };
}

/** `POST /repos/{owner}/{repo}/pulls` */
export async function createPull(context: RequestContext, repository: ForgeRepository): Promise<Answer> {
  const { body, state, origin, token, store } = context;
  const there = state.of(repository);
  if (body.title === undefined) throw validationFailed({ resource: 'PullRequest', field: 'title', code: 'missing_field' });
  const [, owner = repository.owner, head] = /^(?:([^:]+):)?(.+)$/.exec(String(body.head)) ?? [];
  const base = String(body.base);
  const [headSha, baseSha] = [head === undefined ? undefined : await commitOf(context, repository, head), await commitOf(context, repository, base)];
  const invalid = [
    ...headSha === undefined || owner.toLowerCase() !== repository.owner.toLowerCase() ? ['head'] : [], ...baseSha === undefined ? ['base'] : [],
  ];
  if (invalid.length > 0) throw validationFailed(...invalid.map((field): FieldError => ({ resource: 'PullRequest', field, code: 'invalid' })));
  if (tooLong(body).length > 0) throw validationFailed(...tooLong(body));
  const custom = (message: string) => validationFailed({ resource: 'PullRequest', code: 'custom', message });
  if (await store.git(repository, 'rev-list', '--count', headSha!, `^${baseSha!}`) === '0') throw custom(`No commits between ${base} and ${head}`);
  if (there.pulls.some((pull) => pull.state === 'open' && pull.head === head && pull.base === base)) {
    throw custom(`A pull request already exists for ${repository.owner}:${head}.`);
  }
  if (body.draft === true && !there.hasDrafts) throw new ApiError(422, 'Draft pull requests are not supported in this repository.');
  const pull: ForgePull = {
    id: state.nextId(),
    number: there.nextNumber(),
    head: head!,
    base,
    headSha: headSha!,
    baseSha: baseSha!,
    title: String(body.title),
    body: body.body as string | null ?? null,
    draft: body.draft === true,
    state: 'open',
    login: token!.login,
    labels: [],
    reviewers: [],
    teams: [],
    created: state.time(),
    updated: state.time(),
  };
  there.pulls.push(pull);
  return { status: 201, body: fullPullObject(pull, there, origin) };
}

function pullAt({ state, params }: RequestContext, repository: ForgeRepository, name: string): ForgePull {
  const pull = state.of(repository).pulls.find(({ number }) => `${number}` === params[name]);
  if (pull === undefined) throw notFound();
  return pull;
}

/** `PATCH /repos/{owner}/{repo}/pulls/{pull_number}` */
export function updatePull(context: RequestContext, repository: ForgeRepository): Answer {
  const { body, state, origin } = context;
  const pull = pullAt(context, repository, 'pull_number');
  if (tooLong(body).length > 0) throw validationFailed(...tooLong(body));
  if (body.title !== undefined) pull.title = String(body.title);
  if (body.body !== undefined) pull.body = body.body as string | null;
  if (body.state !== undefined) pull.state = body.state as 'open' | 'closed';
  pull.updated = state.time();
  return { status: 200, body: fullPullObject(pull, state.of(repository), origin) };
}

/** `POST /repos/{owner}/{repo}/issues/{issue_number}/labels`. Labels that are not there yet are made, as at GitHub. */
export function addLabels(context: RequestContext, repository: ForgeRepository): Answer {
  const { body, state, origin } = context;
  const pull = pullAt(context, repository, 'issue_number');
  const names = body.labels as readonly string[];
  if (names.some((name) => name.length > 50)) {
    throw validationFailed({ resource: 'Label', code: 'custom', field: 'name', message: 'name is too long (maximum is 50 characters)' });
  }
  for (const name of names) {
    if (!pull.labels.some((one) => one.toLowerCase() === name.toLowerCase())) pull.labels.push(name);
  }
  return { status: 200, body: pull.labels.map((name) => labelObject(name, state.of(repository), origin)) };
}

/** `POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers` */
export function requestReviewers(context: RequestContext, repository: ForgeRepository): Answer {
  const { body, state, origin } = context;
  const there = state.of(repository);
  const pull = pullAt(context, repository, 'pull_number');
  const [users, teams] = [body.reviewers ?? [], body.team_reviewers ?? []] as [readonly string[], readonly string[]];
  if (users.includes(pull.login)) throw new ApiError(422, 'Review cannot be requested from pull request author.');
  const refused = [[users, there.collaborators, 'users'], [teams, there.teams, 'teams']] as const;
  for (const [names, known, what] of refused) {
    if (names.every((name) => known.has(name))) continue;
    throw new ApiError(422, `Reviews may only be requested from collaborators. One or more of the ${what} you specified is not a collaborator of the ${repository.owner}/${repository.name} repository.`);
  }
  pull.reviewers.push(...users.filter((name) => !pull.reviewers.includes(name)));
  pull.teams.push(...teams.filter((name) => !pull.teams.includes(name)));
  return { status: 201, body: { ...pullObject(pull, there, origin), requested_teams: pull.teams.map((slug) => teamObject(slug, origin)) } };
}
