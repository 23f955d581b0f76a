import { FORGE_ERRORS, LOOP_ERRORS, LOOP_LIMITS } from './constants';
import { LoopError } from './errors';
import { OFFER_PART } from './offer-script.generated';
import { Publication, Published } from './publication';
import { NameList, Results } from './results';
import { isVerified } from './run-record';
import { collector, inWorkspace, StepRequest, StepTools, WantedCommit } from './step';
import { LIMITS } from '../../jobs/constants';

/** The size of a piece of a pack, in bytes: a multiple of 64 KiB. */
const PIECE_BYTES = 4_194_304;

/**
 * Pushes the commit of a run from outside of its sessions.
 *
 * The session looks at the branch as it would before a push of its own: whether others have pushed, and what. It then hands over the pack. The
 * publisher computes the commit, so that a wrong pack can only fail, and updates the branch only if it is still where the session saw it.
 *
 * @param where the request for the session that has the tree
 */
export async function published(
  where: StepRequest, tools: StepTools, wanted: WantedCommit, publish: (publication: Publication) => Promise<Published>,
): Promise<Results<'commit'> & { readonly changed?: NameList }> {
  const { run, loop } = where.state;
  let changed: NameList | undefined;
  for (let tries = 1; ; tries++) {
    const seen = await inWorkspace(where, tools, 'commit', LOOP_ERRORS.COMMIT_FAILED, { ...wanted, WB_PUSH: 'look', WB_ELSEWHERE: 'yes' }, { label: `look ${tries}` });
    if (seen.ready === undefined) return seen;
    const from = seen.ready === 'none' ? undefined : seen.ready;
    // Code of the change ran in the session since it was proven that the commit is on top of these.
    if (from !== undefined && isVerified(loop) && from !== loop.base && from !== loop.verification?.onto) {
      throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, 'the commit is not known to be on top of what the branch has, so nothing is pushed');
    }
    const parents = [wanted.WB_BASE, ...wanted.WB_MERGES.split(' ').filter((id) => id !== '')];
    const result = await publish({
      url: run.repository.url,
      branch: run.branch,
      ...(from === undefined ? {} : { from }),
      commit: { tree: wanted.WB_TREE, parents, author: where.config.author, seconds: wanted.WB_DATE, message: wanted.WB_MESSAGE },
      pack: () => packOf(where, tools, wanted, parents, (files) => {
        changed = files;
      }),
    });
    if (result.id !== seen.commit && !result.signed) {
      throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, `the session makes the commit ${seen.commit} of the change, and the publisher ${result.id}`);
    }
    if (result.kind === 'PUBLISHED') return { ...seen, commit: result.id, pushed: 'yes', changed };
    if (result.kind === 'REFUSED') throw refused(result.reason, result.said);
    if (tries >= LOOP_LIMITS.publishTries) throw new LoopError(LOOP_ERRORS.PUSH_REJECTED, `the branch ${run.branch} moved ${tries} times while the commit was pushed`);
  }
}

function refused(reason: string, said: string): LoopError {
  const isPack = /unpack|missing necessary objects|index-pack/.test(reason);
  const words = [reason, said.trim()].filter((text) => text !== '').join('\n').slice(0, 4_000);
  return isPack
    ? new LoopError(LOOP_ERRORS.COMMIT_FAILED, 'the remote cannot read the change', words)
    : new LoopError(FORGE_ERRORS.RULE_VIOLATION, 'the remote refuses the commit, so nothing was pushed: change its rules, or let the publisher\'s identity bypass them', words);
}

/** Reads the pack from the session, in pieces. A call that is repeated gets the same pieces, since each is the output of a job. */
async function* packOf(
  where: StepRequest, tools: StepTools, { WB_TREE, WB_BASE }: WantedCommit, parents: readonly string[], onChanged: (files: NameList) => void,
): AsyncGenerator<Buffer> {
  for (let offset = 0, total = 1; offset < total; offset += PIECE_BYTES) {
    // A second try may follow one that was cut off.
    const { onOutput, output } = collector(2 * PIECE_BYTES + 100_000);
    const { bytes, changed } = await inWorkspace(where, { ...tools, onOutput }, 'offer', LOOP_ERRORS.COMMIT_FAILED, {
      WB_TREE, WB_BASE, WB_PARENTS: parents.join(' '), WB_OFFSET: offset, WB_PIECE: PIECE_BYTES, WB_LIMIT: LOOP_LIMITS.publishBytes,
    }, { label: `${offset / PIECE_BYTES}`, logBytes: LIMITS.logBytes.default, script: OFFER_PART });
    total = /^\d{1,9}$/.test(bytes) ? Number(bytes) : NaN;
    const all = output();
    // The piece is followed by the results.
    const end = all.lastIndexOf('\n@result ');
    const size = Math.min(PIECE_BYTES, total - offset);
    if (!(total <= LOOP_LIMITS.publishBytes) || size < 0 || size > end) throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, 'the change could not be read from its session');
    if (offset === 0) onChanged(changed);
    yield all.subarray(end - size, end);
  }
}
