import { Answer, notFound, refused } from './answers';
import { pageOf, RequestContext, throwIfTooLong } from './context';
import { statusObject } from './objects';
import type { GitLabStatus } from './state';

async function commitAt({ store, project, params: { sha } }: RequestContext): Promise<string> {
  const found = /^[0-9a-f]{40}$/.test(sha) && await store.git(project.repository, 'cat-file', '-t', sha).catch(() => undefined) === 'commit';
  if (!found) throw notFound('Commit');
  return sha;
}

/** `GET /projects/:id/repository/commits/:sha/statuses`: the last one of each name */
export async function listStatuses(context: RequestContext): Promise<Answer> {
  const { project, values: { name } } = context;
  const commit = await commitAt(context);
  const found = project.statuses.filter((one) => one.commit === commit && (name === undefined || one.name === name));
  const last = new Map(found.map((one) => [one.name, one]));
  return pageOf([...last.values()], context, (status) => statusObject(context, status));
}

/** `POST /projects/:id/statuses/:sha`. A status that is complete stays, and another one takes its place. */
export async function createStatus(context: RequestContext): Promise<Answer> {
  const { project, store, state, token, values } = context;
  const commit = await commitAt(context);
  throwIfTooLong({ name: values.name });
  const description = values.description as string | undefined ?? null;
  if ([...description ?? ''].length > 255) throw refused(400, { description: ['is too long (maximum is 255 characters)'] });
  const [ref] = (await store.git(project.repository, 'for-each-ref', '--format=%(refname:short)', '--contains', commit, 'refs/heads')).split('\n');
  if (ref === '') throw notFound('References for commit');
  const status: GitLabStatus = {
    id: state.nextId(),
    commit,
    ref,
    name: String(values.name ?? 'default'),
    status: String(values.state),
    description,
    author: token.login,
    created: state.time(),
  };
  project.statuses.push(status);
  return { status: 201, body: statusObject(context, status) };
}
