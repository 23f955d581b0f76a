import type { Answer } from './answers';
import { PAGES, RequestContext } from './context';
import { createMergeRequest, getBranch, getMergeRequest, listMergeRequests, merge, updateMergeRequest } from './merge-requests';
import { createNote, getIssue, listNotes, updateNote } from './notes';
import { projectObject, userObject } from './objects';
import type { Parameters } from './parameters';
import { createStatus, listStatuses } from './statuses';

export interface Operation {
  /** The access level that the user of the token needs in the project. Source: "Roles and permissions" in GitLab's documentation. */
  readonly level: number;
  readonly parameters?: Parameters;
  readonly answer: (context: RequestContext) => Answer | Promise<Answer>;
}

const GUEST = 10;
const REPORTER = 20;
const DEVELOPER = 30;

/** The operations that are not about a project. */
export const GENERAL: Readonly<Record<string, Omit<Operation, 'level'>>> = {
  'GET /user': { answer: (context) => ({ status: 200, body: userObject(context, context.token.login) }) },
  'GET /users': { parameters: { username: 'string!' }, answer: findUsers },
};

/** The operations about a project, by their method and the path below it. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET ': { level: GUEST, answer: (context) => ({ status: 200, body: projectObject(context) }) },
  'GET /repository/branches/:branch': { level: REPORTER, answer: getBranch },
  'GET /merge_requests': {
    level: REPORTER,
    parameters: { state: ['opened', 'closed', 'locked', 'merged', 'all'], source_branch: 'string', target_branch: 'string', ...PAGES },
    answer: listMergeRequests,
  },
  'POST /merge_requests': {
    level: DEVELOPER,
    parameters: { source_branch: 'string!', target_branch: 'string!', title: 'string!', description: 'string' },
    answer: createMergeRequest,
  },
  'GET /merge_requests/:iid': { level: REPORTER, answer: getMergeRequest },
  'PUT /merge_requests/:iid': {
    level: DEVELOPER,
    parameters: { title: 'string', description: 'string', add_labels: 'string', reviewer_ids: 'integer[]' },
    answer: updateMergeRequest,
  },
  'PUT /merge_requests/:iid/merge': {
    level: REPORTER,
    parameters: { merge_when_pipeline_succeeds: 'boolean', auto_merge: 'boolean', squash: 'boolean', sha: 'string' },
    answer: merge,
  },
  'GET /repository/commits/:sha/statuses': { level: REPORTER, parameters: { name: 'string', ...PAGES }, answer: listStatuses },
  'POST /statuses/:sha': {
    level: DEVELOPER,
    parameters: { state: ['pending', 'running', 'success', 'failed', 'canceled', 'skipped'], name: 'string', description: 'string' },
    answer: createStatus,
  },
  'GET /issues/:iid': { level: GUEST, answer: getIssue },
  'GET /(?<of>issues|merge_requests)/:iid/notes': {
    level: GUEST, parameters: { sort: ['asc', 'desc'], order_by: ['created_at', 'updated_at'], ...PAGES }, answer: listNotes,
  },
  'POST /(?<of>issues|merge_requests)/:iid/notes': { level: GUEST, parameters: { body: 'string!' }, answer: createNote },
  'PUT /(?<of>issues|merge_requests)/:iid/notes/:note_id': { level: GUEST, parameters: { body: 'string!' }, answer: updateNote },
};

/** `GET /users`. The name of a user has no case. */
function findUsers(context: RequestContext): Answer {
  const wanted = String(context.values.username).toLowerCase();
  const names = [...context.state.users.keys()].filter((name) => name.toLowerCase() === wanted);
  return { status: 200, body: names.map((name) => userObject(context, name)) };
}
