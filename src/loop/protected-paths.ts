import { PROTECTED_ACTIONS } from './steps/constants';
import { faultsOf, Rule } from '../private/validation';

/** Determines what a loop does about a change to protected files. */
export enum ProtectedPathsAction {
  /** Tells the agent that these files are not its own, and to put them back. That is a repair. */
  REPAIR = 'REPAIR',
  /** Verifies and commits the files of the base in their place. The agent's versions are moved out of the clone. */
  RESTORE = 'RESTORE',
  /** Continues, and names the files in the record of the run. */
  REVIEW = 'REVIEW',
  /** Fails the run with `CodingLoop.ProtectedPaths`. */
  FAIL = 'FAIL',
}

/** Options for protected paths. */
export interface ProtectedPathsOptions {
  /**
   * Determines what a loop does about a change to protected files.
   *
   * @default ProtectedPathsAction.REPAIR
   */
  readonly onChange?: ProtectedPathsAction;
}

/** Files that judge a change, such as tests and the configuration of checks, and that the agent must not change in silence. */
export class ProtectedPaths {
  /**
   * Protects files that match a pattern.
   *
   * @param paths 1 to 100 pathspecs, as in `git diff -- <pathspec>` at the root of the repository, such as `package.json`, `test/**` or
   * `:(glob)**\/*.test.ts`. A `*` also matches `/`, except with `:(glob)`. Renamed and removed files, file modes, symbolic links and submodules count
   * as changes.
   */
  public static of(paths: string[], options: ProtectedPathsOptions = {}): ProtectedPaths {
    return new ProtectedPaths(paths, options.onChange ?? ProtectedPathsAction.REPAIR);
  }

  private constructor(private readonly paths: readonly string[], private readonly onChange: ProtectedPathsAction) {}

  /** @internal */
  public _config(): { readonly paths: readonly string[]; readonly onChange: keyof typeof PROTECTED_ACTIONS } {
    return { paths: this.paths, onChange: this.onChange };
  }

  /** @internal */
  public _faults(): string[] {
    return faultsOf({ paths: this.paths }, RULES);
  }
}

/** The maximum number of pathspecs: all of them travel in one command. */
const MOST_PATHS = 100;

const isBad = (path: string) => path.trim() === '' || /^\/|[\n\0]|(^|\/)\.\.(\/|$)/.test(path) || Buffer.byteLength(path) > 200;

const RULES: readonly Rule<{ readonly paths: readonly string[] }>[] = [
  {
    broken: ({ paths }) => paths.length < 1 || paths.length > MOST_PATHS,
    message: ({ paths }) => `"protectedPaths" must have 1 to ${MOST_PATHS} paths, not ${paths.length}: leave it out to protect nothing, or use patterns`,
  },
  {
    broken: ({ paths }) => paths.some(isBad),
    message: ({ paths }) => '"protectedPaths" must be pathspecs of at most 200 bytes, relative to the root of the repository, '
      + `not ${JSON.stringify(paths.find(isBad))}: change it, for example to "test/**"`,
  },
];
