import { createHash } from 'node:crypto';
import type { ForgeApp } from '../store';
import type { ForgeInstallation, GitHubRepositoryState, GitHubState } from './state';

// The objects of GitHub's API with all fields that its description requires. Fields that nobody reads have the value of a repository without
// anything.

export type Fields = Readonly<Record<string, unknown>>;

export const nodeId = (kind: string, id: number) => `${kind}_${Buffer.from(`${id}`).toString('base64url')}`;

/** Returns a number that is always the same for a text. */
export const numberOf = (text: string) => createHash('sha1').update(text.toLowerCase()).digest().readUInt32BE(0);

export function userObject(login: string, origin: string): Fields {
  const url = `${origin}/api/v3/users/${encodeURIComponent(login)}`;
  const id = numberOf(login);
  return {
    login,
    id,
    node_id: nodeId('U', id),
    avatar_url: `${origin}/avatars/u/${id}`,
    gravatar_id: '',
    url,
    html_url: `${origin}/${encodeURIComponent(login)}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: login.endsWith('[bot]') ? 'Bot' : 'User',
    site_admin: false,
  };
}

/** The user of a token, as `GET /user` has it. */
export function ownUserObject(login: string, state: GitHubState, origin: string): Fields {
  return {
    ...userObject(login, origin),
    name: null,
    company: null,
    blog: null,
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: state.time(),
    updated_at: state.time(),
  };
}

const REPOSITORY_URLS = [
  'archive', 'assignees', 'blobs', 'branches', 'collaborators', 'comments', 'commits', 'compare', 'contents', 'contributors', 'deployments', 'downloads', 'events', 'forks',
  'git_commits', 'git_refs', 'git_tags', 'issue_comment', 'issue_events', 'issues', 'keys', 'labels', 'languages', 'merges', 'milestones', 'notifications', 'pulls',
  'releases', 'stargazers', 'statuses', 'subscribers', 'subscription', 'tags', 'teams', 'trees', 'hooks',
];

/** A repository as others refer to it. */
export function repositoryObject({ id, repository, allowsAutoMerge }: GitHubRepositoryState, origin: string): Fields {
  const { owner, name, archived } = repository;
  const fullName = `${owner}/${name}`;
  const url = `${origin}/api/v3/repos/${fullName}`;
  const time = '2026-01-01T00:00:00Z';
  return {
    id,
    node_id: nodeId('R', id),
    name,
    full_name: fullName,
    owner: userObject(owner, origin),
    private: repository.private,
    html_url: `${origin}/${fullName}`,
    description: null,
    fork: false,
    url,
    ...Object.fromEntries(REPOSITORY_URLS.map((part) => [`${part}_url`, `${url}/${part}`])),
    git_url: `git://127.0.0.1/${fullName}.git`,
    ssh_url: `git@127.0.0.1:${fullName}.git`,
    clone_url: `${origin}/${fullName}.git`,
    svn_url: `${origin}/${fullName}`,
    mirror_url: null,
    homepage: null,
    language: null,
    forks_count: 0,
    stargazers_count: 0,
    watchers_count: 0,
    size: 0,
    default_branch: 'main',
    open_issues_count: 0,
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_downloads: false,
    has_discussions: false,
    archived,
    disabled: false,
    visibility: repository.private ? 'private' : 'public',
    pushed_at: time,
    created_at: time,
    updated_at: time,
    license: null,
    forks: 0,
    open_issues: 0,
    watchers: 0,
    allow_auto_merge: allowsAutoMerge,
  };
}

/** A repository as `GET /repos/{owner}/{repo}` has it. */
export function fullRepositoryObject(state: GitHubRepositoryState, origin: string, permissions: Fields): Fields {
  return { ...repositoryObject(state, origin), subscribers_count: 0, network_count: 0, permissions };
}

export function appObject(app: ForgeApp, state: GitHubState, origin: string): Fields {
  return {
    id: Number(app.id),
    node_id: nodeId('A', Number(app.id)),
    slug: app.slug,
    owner: userObject('octo', origin),
    name: app.slug,
    description: null,
    external_url: origin,
    html_url: `${origin}/apps/${app.slug}`,
    created_at: state.time(),
    updated_at: state.time(),
    permissions: { metadata: 'read' },
    events: [],
  };
}

export function installationObject(installation: ForgeInstallation, app: ForgeApp, state: GitHubState, origin: string): Fields {
  const { id, owner, permissions, suspended } = installation;
  return {
    id,
    account: userObject(owner, origin),
    repository_selection: 'selected',
    access_tokens_url: `${origin}/api/v3/app/installations/${id}/access_tokens`,
    repositories_url: `${origin}/api/v3/installation/repositories`,
    html_url: `${origin}/settings/installations/${id}`,
    app_id: Number(app.id),
    app_slug: app.slug,
    target_id: numberOf(owner),
    target_type: 'Organization',
    permissions: { ...permissions },
    events: [],
    created_at: state.time(),
    updated_at: state.time(),
    single_file_name: null,
    suspended_by: suspended ? userObject(owner, origin) : null,
    suspended_at: suspended ? state.time() : null,
  };
}
