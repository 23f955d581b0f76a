import type { ForgeRepository } from '../store';
import { Answer, ApiError, notFound, validationFailed } from './answers';
import { checkRunObject, statusObject } from './content-objects';
import { pageOf, RequestContext } from './context';
import type { Body, Shape } from './shapes';
import type { ForgeCheckRun } from './state';

const STATUSES = ['queued', 'in_progress', 'completed'];
const CONCLUSIONS = ['action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'stale', 'timed_out'];

const CHECK_RUN = {
  external_id: 'string',
  details_url: 'string',
  status: STATUSES,
  conclusion: CONCLUSIONS,
  started_at: 'string',
  completed_at: 'string',
  output: { title: 'string!', summary: 'string!', text: 'string' },
} as const;

export const NEW_CHECK_RUN: Shape = { ...CHECK_RUN, name: 'string!', head_sha: 'string!' };
export const CHANGED_CHECK_RUN: Shape = { ...CHECK_RUN, name: 'string' };
export const NEW_STATUS: Shape = { state: ['error', 'failure', 'pending', 'success'], target_url: 'string?', description: 'string?', context: 'string' };

/** The maximum number of characters. */
const LENGTHS = { summary: 65_535, description: 140, context: 255 } as const;

/** Check runs are for apps. */
function appOf({ token, app }: RequestContext): string {
  if (token?.installationId === undefined || app === undefined) throw new ApiError(403, 'You must authenticate via a GitHub App.');
  return app.id;
}

async function commitAt({ store }: RequestContext, repository: ForgeRepository, commit: string): Promise<string> {
  const found = /^[0-9a-f]{40}$/.test(commit) && await store.git(repository, 'cat-file', '-t', commit).catch(() => undefined) === 'commit';
  if (!found) throw new ApiError(422, `No commit found for SHA: ${commit}`);
  return commit;
}

function applied(run: ForgeCheckRun, body: Body, time: string): void {
  const output = body.output as { readonly title: string; readonly summary: string } | undefined;
  if (output !== undefined && output.summary.length > LENGTHS.summary) {
    throw new ApiError(422, `Invalid request.\n\nOnly ${LENGTHS.summary} characters are allowed; ${output.summary.length} were supplied.`);
  }
  if (body.name !== undefined) run.name = String(body.name);
  if (body.external_id !== undefined) run.externalId = String(body.external_id);
  if (output !== undefined) Object.assign(run, { title: output.title, summary: output.summary });
  if (body.conclusion !== undefined) Object.assign(run, { conclusion: body.conclusion, status: 'completed', completed: time });
  else if (body.status !== undefined) run.status = String(body.status);
}

/** `GET /repos/{owner}/{repo}/commits/{ref}/check-runs` */
export function listCheckRuns(context: RequestContext, repository: ForgeRepository): Answer {
  const { state, params, query, origin, app } = context;
  const there = state.of(repository);
  const name = query.get('check_name');
  const found = there.checkRuns.filter((run) => run.commit === params.ref && (name === null || run.name === name));
  const { items, headers } = pageOf(found, context, `${origin}/api/v3/repositories/${there.id}/commits/${params.ref}/check-runs`);
  return {
    status: 200,
    headers,
    body: { total_count: found.length, check_runs: items.map((run) => checkRunObject(run, { state, repository: there, app, origin })) },
  };
}

/** `POST /repos/{owner}/{repo}/check-runs` */
export async function createCheckRun(context: RequestContext, repository: ForgeRepository): Promise<Answer> {
  const { state, body, origin, app } = context;
  const there = state.of(repository);
  const run: ForgeCheckRun = {
    id: state.nextId(),
    app: appOf(context),
    commit: await commitAt(context, repository, String(body.head_sha)),
    name: String(body.name),
    externalId: '',
    status: 'queued',
    conclusion: null,
    title: null,
    summary: null,
    started: state.time(),
    completed: null,
  };
  applied(run, body, state.time());
  there.checkRuns.push(run);
  return { status: 201, body: checkRunObject(run, { state, repository: there, app, origin }) };
}

/** `PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}` */
export function updateCheckRun(context: RequestContext, repository: ForgeRepository): Answer {
  const { state, body, origin, app, params } = context;
  const there = state.of(repository);
  const by = appOf(context);
  const run = there.checkRuns.find(({ id }) => `${id}` === params.check_run_id);
  if (run === undefined) throw notFound();
  if (run.app !== by) throw new ApiError(403, `Invalid app_id \`${by}\` - check run can only be modified by the GitHub App that created it.`);
  applied(run, body, state.time());
  return { status: 200, body: checkRunObject(run, { state, repository: there, app, origin }) };
}

/** `POST /repos/{owner}/{repo}/statuses/{sha}` */
export async function createStatus(context: RequestContext, repository: ForgeRepository): Promise<Answer> {
  const { state, body, origin, params, token } = context;
  if (body.state === undefined) throw new ApiError(422, 'Invalid request.\n\n"state" wasn\'t supplied.');
  for (const field of ['description', 'context'] as const) {
    if ([...String(body[field] ?? '')].length <= LENGTHS[field]) continue;
    throw validationFailed({ resource: 'Status', code: 'custom', field, message: `${field} is too long (maximum is ${LENGTHS[field]} characters)` });
  }
  const status = {
    id: state.nextId(),
    commit: await commitAt(context, repository, params.sha),
    context: String(body.context ?? 'default'),
    state: String(body.state),
    description: body.description as string | null ?? null,
    login: token!.login,
    created: state.time(),
  };
  state.of(repository).statuses.push(status);
  return { status: 201, body: statusObject(status, state.of(repository), origin) };
}
