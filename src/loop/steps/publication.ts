/** The author or the committer of a commit. */
export interface Identity {
  readonly name: string;
  readonly email: string;
}

/** The content of a commit. */
export interface CommitContent {
  /** The object ID of the tree. */
  readonly tree: string;
  /** The object IDs of the parents, in their order. */
  readonly parents: readonly string[];
  readonly author: Identity;
  /** The date of author and committer, in seconds since the epoch. */
  readonly seconds: number;
  readonly message: string;
}

/** A change that has passed all gates, and where it is published. */
export interface Publication {
  /** The URL of the repository. */
  readonly url: string;
  /** The name of the branch. */
  readonly branch: string;
  /** The commit that the branch must be at; undefined if it must not exist. */
  readonly from?: string;
  readonly commit: CommitContent;
  /** Returns the pack of what the remote lacks for the tree of the commit. It may be called more than once. */
  readonly pack: () => AsyncIterable<Buffer>;
}

/** The result of a publication. `signed` means that the forge has made the commit, which is another one than git would make. */
export type Published = { readonly signed?: true } & (
  /** The branch is at the commit. `found` means that an earlier try, or somebody else, had put it there. */
  | { readonly kind: 'PUBLISHED'; readonly id: string; readonly found?: true }
  /** The branch is at another commit than expected: others have pushed, or deleted it. */
  | { readonly kind: 'MOVED'; readonly id: string; readonly at?: string }
  /** The remote refuses the commit, by a rule or because objects are missing. */
  | { readonly kind: 'REFUSED'; readonly id: string; readonly reason: string; readonly said: string }
);
