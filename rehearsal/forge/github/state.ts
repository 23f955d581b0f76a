import type { ForgeRepository, ForgeStore } from '../store';
import type { Access } from '../tokens';

/** A pull request at the forge. */
export interface ForgePull {
  readonly id: number;
  readonly number: number;
  readonly head: string;
  readonly base: string;
  /** The commit of the head when it was last seen. */
  headSha: string;
  baseSha: string;
  title: string;
  body: string | null;
  readonly draft: boolean;
  state: 'open' | 'closed';
  readonly login: string;
  readonly labels: string[];
  readonly reviewers: string[];
  readonly teams: string[];
  autoMerge?: { readonly login: string; readonly method: 'merge' | 'squash' | 'rebase' };
  readonly created: string;
  updated: string;
}

/** A comment on an issue or a pull request. */
export interface ForgeComment {
  readonly id: number;
  readonly issue: number;
  readonly login: string;
  readonly byApp: boolean;
  body: string;
  readonly created: string;
  updated: string;
}

/** A check run beside a commit. */
export interface ForgeCheckRun {
  readonly id: number;
  readonly commit: string;
  /** The app that made it. */
  readonly app: string;
  name: string;
  externalId: string;
  status: string;
  conclusion: string | null;
  title: string | null;
  summary: string | null;
  readonly started: string;
  completed: string | null;
}

/** A status beside a commit. The last one of a context counts. */
export interface ForgeStatus {
  readonly id: number;
  readonly commit: string;
  readonly context: string;
  readonly state: string;
  readonly description: string | null;
  readonly login: string;
  readonly created: string;
}

/** An installation of the app for the repositories of an owner. */
export interface ForgeInstallation {
  readonly id: number;
  readonly owner: string;
  permissions: Record<string, Access>;
  suspended: boolean;
  /** The names of repositories that the app has no access to. */
  readonly without: Set<string>;
}

/** A repository, as far as it is not git. */
export class GitHubRepositoryState {
  readonly pulls: ForgePull[] = [];
  readonly comments: ForgeComment[] = [];
  readonly checkRuns: ForgeCheckRun[] = [];
  readonly statuses: ForgeStatus[] = [];
  /** Issues that are not pull requests, by their numbers. */
  readonly issues = new Map<number, string>();
  /** Users that can be asked for reviews. */
  readonly collaborators = new Set<string>();
  /** Teams that can be asked for reviews. */
  readonly teams = new Set<string>();
  /** Determines whether drafts can be made, which not all plans have. */
  hasDrafts = true;
  allowsAutoMerge = true;
  private last = 0;

  constructor(readonly id: number, readonly repository: ForgeRepository) {}

  openIssue(title: string): number {
    const number = this.nextNumber();
    this.issues.set(number, title);
    return number;
  }

  /** Issues and pull requests have numbers in one sequence. */
  nextNumber(): number {
    this.last += 1;
    return this.last;
  }
}

/** The permissions that an app is given if nothing else is said. */
const PERMISSIONS: Readonly<Record<string, Access>> = { metadata: 'read', contents: 'write', pull_requests: 'write', checks: 'write', issues: 'write' };

/** The state of GitHub beside git: pull requests, comments, check runs and installations. It is lost when the process ends. */
export class GitHubState {
  private readonly repositories = new Map<string, GitHubRepositoryState>();
  private readonly installations = new Map<string, ForgeInstallation>();
  private last = 1_000;

  constructor(private readonly store: ForgeStore) {}

  nextId(): number {
    this.last += 1;
    return this.last;
  }

  /** The time now, as GitHub writes it. */
  time(offset = 0): string {
    return new Date(this.store.now() + offset).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  of(repository: ForgeRepository): GitHubRepositoryState {
    // A renamed repository is the same: its directory stays.
    const known = this.repositories.get(repository.directory);
    if (known?.repository === repository) return known;
    const made = new GitHubRepositoryState(known?.id ?? this.nextId(), repository);
    const state = known === undefined ? made : Object.assign(made, known, { repository });
    this.repositories.set(repository.directory, state);
    return state;
  }

  /** Returns the repositories that were used so far. */
  all(): readonly GitHubRepositoryState[] {
    return [...this.repositories.values()];
  }

  /** Returns a repository by its ID, which stays when it is renamed. */
  byId(id: number): ForgeRepository | undefined {
    const found = [...this.repositories.values()].find((one) => one.id === id)?.repository;
    if (found === undefined) return undefined;
    const moved = this.store.movedTo(`${found.owner}/${found.name}`);
    return moved === undefined ? found : this.store.repository(moved);
  }

  /** Returns the installation of the app for an owner. */
  installation(owner: string): ForgeInstallation {
    const key = owner.toLowerCase();
    const known = this.installations.get(key);
    if (known !== undefined) return known;
    const id = this.store.app?.installationId ?? this.nextId();
    const made: ForgeInstallation = { id, owner, permissions: { ...PERMISSIONS }, suspended: false, without: new Set() };
    this.installations.set(key, made);
    return made;
  }

  installationById(id: number): ForgeInstallation | undefined {
    return [...this.installations.values()].find((one) => one.id === id);
  }
}
