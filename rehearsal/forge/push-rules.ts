/** A rule for branches, as a forge says it. */
export interface BranchRule {
  /** The names of branches; `*` stands for any text. */
  readonly branch: string;
  /** The violations that a push is refused with, such as `Changes must be made through a pull request.` */
  readonly says: readonly string[];
}

/** The rules that a repository checks pushes against. */
export interface PushRules {
  /** Protected branches (GH006). */
  readonly protectedBranches: readonly BranchRule[];
  /** Rulesets (GH013). */
  readonly rulesets: readonly BranchRule[];
  /** The maximum size of a file, in bytes (GH001). */
  readonly maxFileBytes: number;
  /** The secrets that no file may have (GH013), by the name of their kind: regular expressions of JavaScript. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** The rules that GitHub has for every repository. */
export const DEFAULT_RULES: PushRules = {
  protectedBranches: [],
  rulesets: [],
  maxFileBytes: 104_857_600,
  secrets: {
    'GitHub Personal Access Token': '\\bghp_[A-Za-z0-9]{36}\\b|\\bgithub_pat_[A-Za-z0-9_]{82}\\b',
    'Slack API Token': '\\bxox[bp]-[0-9]{10,13}-[0-9]{10,13}-[A-Za-z0-9]{24}\\b',
  },
};
