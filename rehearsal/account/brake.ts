import { GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import type { Account } from './account';
import { AccountError } from './errors';
import { loopsOf } from './loops';
import type { AccountOptions } from './options';
import { EXIT } from '../../src/journal/exit-codes';
import { BRAKE_ON, isBrakeOn } from '../../src/operate/constants';
import { MisuseError } from '../common/misuse';

/** The value that lets runs go on. */
const BRAKE_OFF = 'off';

const NOT_FOUND = 'ParameterNotFound';

/** A brake, for people and for `--json`. */
interface BrakeState {
  readonly parameter: string;
  /** Missing if it was not read or set. */
  readonly brake?: 'on' | 'off';
  /** The reason why it is on, if its value does not say so. */
  readonly reason?: string;
  /** The paths of its loops. */
  readonly loops: readonly string[];
  /** The reason why it was not read or set. */
  readonly error?: string;
}

/** Shows or sets the brakes of the loops of a stack. */
export async function brake(account: Account, { stack, loop, brake: wanted, json }: AccountOptions, print: (line: string) => void): Promise<number> {
  const loops = await loopsOf(account, { stack, loop });
  const names = [...new Set(loops.map(({ config }) => config.operate?.brake).filter((name) => name !== undefined))];
  if (names.length === 0) throw new MisuseError(`${loops.map(({ path }) => path).join(', ')} ${loops.length === 1 ? 'has' : 'have'} no brake: give the loop the prop "brake"`);
  const rows: BrakeState[] = [];
  for (const name of names) {
    const braked = loops.filter(({ config }) => config.operate?.brake === name).map(({ path }) => path);
    // In an emergency, a brake that cannot be set must not keep the next one from being set.
    const state = await (wanted === 'status' ? read(account, name) : write(account, name, wanted === 'on' ? BRAKE_ON : BRAKE_OFF))
      .catch((error: Error): Pick<BrakeState, 'error'> => ({ error: error.message }));
    rows.push({ parameter: name, ...state, loops: braked });
  }
  if (json) print(JSON.stringify(rows, undefined, 2));
  else rows.filter(({ error }) => error === undefined).forEach((row) => print(inWords(row, wanted === 'on')));
  const failed = rows.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return EXIT.COMMITTED;
  const done = wanted === 'status' ? 'read' : 'set';
  throw new AccountError(failed.map(({ parameter, loops: paths, error }) => `the brake ${parameter} for ${paths.join(', ')} was not ${done}: ${error}`).join('\n'));
}

function inWords({ parameter, brake: state, reason, loops }: BrakeState, isPulled: boolean): string {
  const more = isPulled ? ': no run and no turn begins; "runs stop --all" ends the runs in progress now' : reason === undefined ? '' : `: ${reason}`;
  return `the brake is ${state} (${parameter}) for ${loops.join(', ')}${more}`;
}

/** Reads a brake as the driver does: one that cannot be read counts as on. */
async function read(account: Account, name: string): Promise<Pick<BrakeState, 'brake' | 'reason'>> {
  const on = (why: string) => ({ brake: 'on', reason: `its parameter ${why}, and a brake that cannot be read counts as on` } as const);
  try {
    const asked = { action: 'ssm:GetParameter', resource: await arnOf(account, name) };
    const { Parameter } = await account.ask(asked, async () => account.ssm.send(new GetParameterCommand({ Name: name })), [NOT_FOUND]);
    if (Parameter?.Value === undefined) return on('has no value');
    if (Parameter.Type === 'SecureString') return on('is a SecureString');
    return { brake: isBrakeOn(Parameter.Value) ? 'on' : 'off' };
  } catch (error) {
    if ((error as Error).name !== NOT_FOUND) throw error;
    return on('does not exist');
  }
}

async function write(account: Account, name: string, value: string): Promise<Pick<BrakeState, 'brake'>> {
  await account.ask({ action: 'ssm:PutParameter', resource: await arnOf(account, name) }, async () => account.ssm.send(new PutParameterCommand({ Name: name, Value: value, Overwrite: true })));
  return { brake: value === BRAKE_ON ? 'on' : 'off' };
}

async function arnOf(account: Account, name: string): Promise<string> {
  return account.arn(`ssm:REGION:*:parameter/${name.replace(/^\//, '')}`);
}
