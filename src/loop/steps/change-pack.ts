import { mergesOf } from './branch';
import { throwIfLost, VerifyRequest } from './clean-checkout';
import { LOOP_ERRORS, PROTECTED_ACTIONS, VERIFICATION } from './constants';
import { LoopError } from './errors';
import { named } from './results';
import { collector, inWorkspace, judgingVariables, runStepJob, StepRequest, StepTools } from './step';
import { piecesOf } from './turn';
import { ERRORS, LIMITS, RECORDS_FOLDER, STATUSES, VERDICTS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';
import { quoteWord } from '../../private/quote';

/** The maximum size of a pack that travels with the script that unpacks it, in bytes. */
const SMALL_PACK = 12_000;

/** The number of pieces of a pack that are sent at once. */
const PIECES_AT_ONCE = 4;

/**
 * Brings the recorded tree into the session of the verification, before any of its code runs there. Returns the commit of the run's branch that the
 * change is on top of.
 */
export async function carry(
  request: VerifyRequest, there: VerifyRequest, tools: StepTools, have: string, separate: boolean,
): Promise<{ readonly onto?: string }> {
  const { loop } = request.state;
  const { pack, commit, tip } = await packed(request, tools, have, there.state.run.session.id);
  const small = pack.length <= SMALL_PACK;
  const pieces = small ? [] : piecesOf(pack);
  for (let first = 0; first < pieces.length; first += PIECES_AT_ONCE) {
    await Promise.all(pieces.slice(first, first + PIECES_AT_ONCE).map((piece, index) => putPiece(there, tools, piece, first + index)));
  }
  const { tree, onto, protected: touched } = await inWorkspace(there, tools, 'receive', LOOP_ERRORS.VERIFICATION_FAILED, {
    WB_BASE: loop.base,
    WB_MERGES: mergesOf(loop),
    ...judgingVariables(request.protect),
    WB_TREE: loop.tree!,
    WB_COMMIT: commit,
    WB_PACK: small ? pack.toString('base64') : '',
    WB_PIECES: pieces.length,
    WB_TIP: /^[0-9a-f]{40,64}$/.test(tip ?? '') ? tip! : '',
    WB_USER: separate ? VERIFICATION.user : '',
    WB_HISTORY: request.config.history === true ? 'yes' : 'no',
    WB_SUBMODULES: request.config.submodules === true ? 'yes' : 'no',
  });
  if (tree !== loop.tree) throw new LoopError(LOOP_ERRORS.VERIFICATION_FAILED, `the session of the verification has the tree ${tree}, not ${loop.tree}`);
  if (touched.count > 0 && request.protect?.onChange !== PROTECTED_ACTIONS.REVIEW) {
    // The agent's session said otherwise.
    throw new LoopError(LOOP_ERRORS.PROTECTED_PATHS, 'the recorded files differ from the base in protected files', named(touched).join(', ').slice(0, 2_000));
  }
  return onto === undefined ? {} : { onto };
}

/** Returns the recorded tree as a pack of what the session of the verification lacks. */
async function packed(request: StepRequest, tools: StepTools, have: string, session: string) {
  const { loop, run } = request.state;
  const { packBytes: limit } = request.config.verification!;
  // A second try may follow one that was cut off.
  const { onOutput, output } = collector(2 * limit + 1_000_000);
  const results = await inWorkspace(request, { ...tools, onOutput }, 'pack', LOOP_ERRORS.VERIFICATION_FAILED, {
    WB_TREE: loop.tree!,
    WB_HAVE: have,
    WB_DATE: run.startedAt,
    WB_LIMIT: limit,
  }, { label: session.slice(0, 16), logBytes: LIMITS.logBytes.max });
  const all = output();
  // The pack is followed by the results.
  const end = all.lastIndexOf('\n@result ');
  const bytes = Number(results.bytes);
  if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > limit || bytes > end) {
    throw new LoopError(LOOP_ERRORS.VERIFICATION_FAILED, 'the change could not be read from the session of the agent');
  }
  return { pack: all.subarray(end - bytes, end), commit: results.commit, tip: results.tip };
}

/** Writes a piece of the pack. It is safe to repeat. */
async function putPiece(there: StepRequest, tools: StepTools, piece: Buffer, index: number): Promise<void> {
  const file = `${there.state.run.mount}/${RECORDS_FOLDER}/piece-${index}`;
  const result = await runStepJob(there, tools, {
    name: `piece ${index}`,
    command: `base64 -d <<<${quoteWord(piece.toString('base64'))} >${quoteWord(file)}`,
    workingDirectory: '/',
    timeoutSeconds: 60,
  });
  if (result.status === STATUSES.RUNNING) throw new SessionError(ERRORS.STREAM_CUT, 'writing the change takes longer than one call of the driver');
  throwIfLost(result);
  if (result.verdict !== VERDICTS.PASSED) {
    throw new LoopError(LOOP_ERRORS.VERIFICATION_FAILED, `cannot write the change to ${file}: ${result.verdict}`, result.tail.slice(-500));
  }
}
