import { Answer, forbidden, notFound } from './answers';
import { pageOf, RequestContext, throwIfTooLong } from './context';
import { mergeRequestAt } from './merge-requests';
import { noteObject } from './objects';
import { withoutQuickActions } from './quick-actions';
import type { GitLabNote } from './state';

/** The access level of the role Maintainer, which may change the comments of others. */
const MAINTAINER = 40;

/** `GET /projects/:id/issues/:iid` */
export function getIssue(context: RequestContext): Answer {
  const { project, params, origin } = context;
  const issue = project.issues.find(({ iid }) => `${iid}` === params.iid);
  if (issue === undefined || !project.hasIssues) throw notFound();
  const { id, iid, title } = issue;
  return { status: 200, body: { id, iid, project_id: project.id, title, state: 'opened', web_url: `${origin}/${project.path}/-/issues/${iid}` } };
}

function noteableOf(context: RequestContext): Pick<GitLabNote, 'of' | 'iid'> {
  const { params: { of, iid } } = context;
  if (of === 'issues') getIssue(context);
  else mergeRequestAt(context);
  return { of: of as GitLabNote['of'], iid: Number(iid) };
}

/** `GET /projects/:id/(issues|merge_requests)/:iid/notes` */
export function listNotes(context: RequestContext): Answer {
  const { project, values } = context;
  const at = noteableOf(context);
  const found = project.notes.filter(({ of, iid }) => of === at.of && iid === at.iid);
  return pageOf(values.sort === 'asc' ? found : found.reverse(), context, (note) => noteObject(context, note));
}

/** `POST /projects/:id/(issues|merge_requests)/:iid/notes` */
export function createNote(context: RequestContext): Answer {
  const { project, state, token, values } = context;
  throwIfTooLong({ note: values.body });
  const note = {
    ...noteableOf(context),
    id: state.nextId(),
    author: token.login,
    body: withoutQuickActions(context, String(values.body)),
    created: state.time(),
    updated: state.time(),
  };
  project.notes.push(note);
  return { status: 201, body: noteObject(context, note) };
}

/** `PUT /projects/:id/(issues|merge_requests)/:iid/notes/:note_id` */
export function updateNote(context: RequestContext): Answer {
  const { project, state, token, values, params, level } = context;
  const at = noteableOf(context);
  const note = project.notes.find(({ id, of, iid }) => `${id}` === params.note_id && of === at.of && iid === at.iid);
  if (note === undefined) throw notFound();
  if (note.author !== token.login && level < MAINTAINER) throw forbidden();
  throwIfTooLong({ note: values.body });
  note.body = withoutQuickActions(context, String(values.body));
  note.updated = state.time();
  return { status: 200, body: noteObject(context, note) };
}
