import { DIFFERS_PART } from './listing-script.generated';
import type { OnlyInWorkspace } from './records';
import { brief, defined } from './results';
import type { StepJob, StepRequest } from './step';

/** Lists what a session has besides the recorded files: the part of the workspace script that follows its base. */
export const LISTING_PART = `${DIFFERS_PART}\ndiffers\nexit 0`;

/** The timeout of a listing, in seconds. */
const LISTING_SECONDS = 60;

/** The maximum size of a listing, in bytes: 20,000 names of each kind. */
const LISTING_BYTES = 25_165_824;

/** The maximum total length of the names of a list, in characters: a state has little room. */
const NAMES_LENGTH = 500;

/** Directories and files that tools write by themselves, and that are rarely the cause: they are named last. */
const BY_THE_WAY = /(^|\/)(__pycache__|\.[^/]*(cache|coverage|output)|coverage|htmlcov|logs?|te?mp)(\/|$)|\.(py[co]|log|te?mp|swp|tsbuildinfo)$/;

/** Directories whose contents are listed as packages. */
const OF_PACKAGES = /(^|\/)(node_modules|site-packages)\/$/;

/** The names that a session has, by kind. workspace-differs.sh explains the kinds. */
interface Listing {
  of(kind: string): ReadonlySet<string>;
  /** Determines whether all names of these kinds are there. */
  isComplete(...kinds: string[]): boolean;
}

/** A session, and how the commands of the user run there. */
export interface ListedSession {
  readonly request: StepRequest;
  readonly job: Partial<StepJob>;
}

/** Runs a listing in a session. */
type Run = (session: ListedSession, listing: Omit<StepJob, 'name'>, onOutput: (data: Buffer) => void) => Promise<unknown>;

/**
 * Lists what both sessions have, and compares.
 *
 * @param base the base of the workspace script
 */
export async function differences(workspace: ListedSession, clean: ListedSession, isBootstrapped: boolean, base: string, run: Run) {
  const [here, there] = await Promise.all([workspace, clean].map((session) => printed(session, base, run)));
  return compare(here, there, isBootstrapped);
}

/** Returns what a listing prints, whether or not it comes to its end. A session may print anything, and without an end. */
async function printed(session: ListedSession, base: string, run: Run): Promise<Buffer> {
  const { mount, id } = session.request.state.run;
  const output: Buffer[] = [];
  let bytes = 0;
  await run(session, {
    command: `${base}\n${LISTING_PART}`,
    workingDirectory: '/',
    environment: { WB_MOUNT: mount, WB_RUN: id, WB_NONCE: 'none' },
    timeoutSeconds: LISTING_SECONDS,
    tailBytes: 0,
    isOurs: true,
  }, (data) => {
    bytes += data.length;
    if (bytes <= LISTING_BYTES) output.push(data);
  });
  return Buffer.concat(output);
}

/**
 * Compares the listings of the two sessions. A session may print anything, so the names are only shown.
 *
 * @param isBootstrapped determines whether the clean checkout has what the bootstrap installs
 */
export function compare(workspace: Buffer, clean: Buffer, isBootstrapped: boolean): OnlyInWorkspace | undefined {
  const here = listingOf(workspace);
  const there = listingOf(clean);
  const only = defined({
    files: listed(files(here, there), rankOf),
    packages: listed(packages(here, there, isBootstrapped)),
    programs: listed(programs(here, there)),
  });
  return Object.keys(only).length === 0 ? undefined : only;
}

function listingOf(output: Buffer): Listing {
  const names = new Map<string, Set<string>>();
  const complete = new Set<string>();
  // The last NUL ends a name.
  for (const record of output.toString().split('\0').slice(0, -1)) {
    const [, kind, name] = /^([a-z.])([^]{1,200})/.exec(record) ?? [];
    if (kind === '.') complete.add(name);
    else if (kind !== undefined) names.set(kind, (names.get(kind) ?? new Set()).add(name));
  }
  return { of: (kind) => names.get(kind) ?? new Set(), isComplete: (...kinds) => kinds.every((kind) => complete.has(kind)) };
}

function programs(here: Listing, there: Listing): string[] {
  return there.isComplete('x') ? [...here.of('x')].filter((name) => !there.of('x').has(name)) : [];
}

/** Returns packages that are installed in the workspace only. Before the bootstrap has passed, all of the clone's would be among them. */
function packages(here: Listing, there: Listing, isBootstrapped: boolean): string[] {
  if (!there.isComplete('c', 'g')) return [];
  const mine = new Set([...here.of('g'), ...(isBootstrapped ? here.of('c') : [])]);
  return [...mine].filter((name) => !there.of('c').has(name) && !there.of('g').has(name));
}

/** Returns ignored files that only the workspace has. A directory of which the clean checkout has nothing is one name. */
function files(here: Listing, there: Listing): string[] {
  if (!there.isComplete('d')) return [];
  const roots = here.of('d');
  const known = new Set([...there.of('d'), ...there.of('f')]);
  const directories = new Set([...known].flatMap(above));
  const isDeep = there.isComplete('f');
  const only = new Set<string>();
  for (const path of [...roots, ...(isDeep ? here.of('f') : [])]) {
    if (OF_PACKAGES.test(path) || known.has(path)) continue;
    const steps = above(path);
    const first = steps.findIndex((step) => roots.has(step));
    const missing = first < 0 ? undefined : steps.slice(first).find((step) => !directories.has(step));
    if (missing !== undefined || !path.endsWith('/')) only.add(missing ?? path);
  }
  return [...only];
}

/** Returns the directories that a path is in, and the path itself if it is one, from the top. */
function above(path: string): string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1));
}

function listed(names: readonly string[], rank: (name: string) => number = () => 0) {
  const sorted = [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return brief({ names: sorted.slice(0, 10).map(visible), count: names.length }, NAMES_LENGTH);
}

/** Returns a lower number for files that are more likely to be the cause: those near the root first. */
function rankOf(path: string): number {
  return (BY_THE_WAY.test(path) ? 1_000 : 0) + above(path.slice(0, -1)).length;
}

/** Encodes characters that are not visible, or that change how others are shown. */
function visible(name: string): string {
  return name.replace(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
