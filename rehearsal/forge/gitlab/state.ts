import type { ForgeRepository, ForgeStore } from '../store';

/** A merge request at the forge. */
export interface GitLabMergeRequest {
  readonly id: number;
  readonly iid: number;
  readonly source: string;
  readonly target: string;
  title: string;
  description: string | null;
  state: 'opened' | 'closed' | 'merged';
  readonly author: string;
  readonly labels: string[];
  reviewers: string[];
  squash: boolean;
  autoMerge: boolean;
  /** The number of looks at it until GitLab knows whether it can be merged. */
  unknownFor: number;
  readonly created: string;
  updated: string;
}

/** A comment on an issue or a merge request. */
export interface GitLabNote {
  readonly id: number;
  readonly of: 'issues' | 'merge_requests';
  readonly iid: number;
  readonly author: string;
  body: string;
  readonly created: string;
  updated: string;
}

/** A status beside a commit. The last one of a name counts. */
export interface GitLabStatus {
  readonly id: number;
  readonly commit: string;
  readonly ref: string;
  readonly name: string;
  readonly status: string;
  readonly description: string | null;
  readonly author: string;
  readonly created: string;
}

export interface GitLabIssue {
  readonly id: number;
  readonly iid: number;
  readonly title: string;
}

/** A project, as far as it is not git. */
export class GitLabProject {
  readonly mergeRequests: GitLabMergeRequest[] = [];
  readonly notes: GitLabNote[] = [];
  readonly statuses: GitLabStatus[] = [];
  readonly issues: GitLabIssue[] = [];
  /** Commands in texts that GitLab carried out for the user of a token, such as `/merge`. */
  readonly quickActions: { readonly command: string; readonly login: string }[] = [];
  /** The access levels of members. @default - 30 for tokens that can push, and 20 for others */
  readonly members = new Map<string, number>();
  hasMergeRequests = true;
  hasIssues = true;
  mergeMethod: 'merge' | 'rebase_merge' | 'ff' = 'merge';
  /** The state of the newest pipeline of every merge request. @default - there is none */
  pipeline?: 'running' | 'success' | 'failed';
  /** The maximum number of reviewers: 1 in the free plan. */
  maxReviewers = Infinity;
  /** The number of looks at a new merge request until GitLab knows whether it can be merged. */
  unknownFor = 1;

  constructor(readonly id: number, readonly repository: ForgeRepository) {}

  get path(): string {
    return `${this.repository.owner}/${this.repository.name}`;
  }
}

/** The state of GitLab beside git: merge requests, comments and statuses. It is lost when the process ends. */
export class GitLabState {
  /** The users of the instance. Those with `isMember` can read the projects. */
  readonly users = new Map<string, { readonly id: number; readonly isMember: boolean }>();
  private readonly projects = new Map<string, GitLabProject>();
  private last = 100;

  constructor(private readonly store: ForgeStore) {}

  nextId(): number {
    this.last += 1;
    return this.last;
  }

  time(): string {
    return new Date(this.store.now()).toISOString();
  }

  /** Returns the ID of a user, who is made known. */
  user(username: string, isMember = true): { readonly id: number; readonly isMember: boolean } {
    const known = this.users.get(username) ?? { id: this.nextId(), isMember };
    this.users.set(username, known);
    return known;
  }

  of(repository: ForgeRepository): GitLabProject {
    // A renamed repository is the same: its directory stays.
    const known = this.projects.get(repository.directory);
    if (known?.repository === repository) return known;
    const made = new GitLabProject(known?.id ?? this.nextId(), repository);
    const project = known === undefined ? made : Object.assign(made, known, { repository });
    this.projects.set(repository.directory, project);
    return project;
  }

  /** Returns a project by its ID, which stays when it is renamed. */
  byId(id: number): GitLabProject | undefined {
    const found = [...this.projects.values()].find((project) => project.id === id);
    const moved = found && this.store.movedTo(found.path);
    const repository = moved === undefined ? found?.repository : this.store.repository(moved);
    return repository && this.of(repository);
  }

  openIssue(project: GitLabProject, title: string): GitLabIssue {
    const issue = { id: this.nextId(), iid: project.issues.length + 1, title };
    project.issues.push(issue);
    return issue;
  }
}
