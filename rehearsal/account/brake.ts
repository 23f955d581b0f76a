import { GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import type { Account } from './account';
import { loopsOf } from './loops';
import type { AccountOptions } from './options';
import { EXIT } from '../../src/journal/exit-codes';
import { BRAKE_ON } from '../../src/operate/constants';
import { MisuseError } from '../common/misuse';

/** The value that lets runs go on. */
const BRAKE_OFF = 'off';

/** Shows or sets the brakes of the loops of a stack. */
export async function brake(account: Account, { stack, loop, brake: wanted, json }: AccountOptions, print: (line: string) => void): Promise<number> {
  const loops = await loopsOf(account, { stack, loop });
  const names = [...new Set(loops.map(({ config }) => config.operate?.brake).filter((name) => name !== undefined))];
  if (names.length === 0) throw new MisuseError(`${loops.map(({ path }) => path).join(', ')} ${loops.length === 1 ? 'has' : 'have'} no brake: give the loop the prop "brake"`);
  const rows = [];
  for (const name of names) {
    const braked = loops.filter(({ config }) => config.operate?.brake === name).map(({ path }) => path);
    const value = wanted === 'status' ? await read(account, name) : await write(account, name, wanted === 'on' ? BRAKE_ON : BRAKE_OFF);
    rows.push({ parameter: name, brake: value === BRAKE_ON ? 'on' : 'off', loops: braked });
  }
  if (json) print(JSON.stringify(rows, undefined, 2));
  else for (const row of rows) print(`the brake is ${row.brake} (${row.parameter}) for ${row.loops.join(', ')}${wanted === 'on' ? ': no run and no turn begins; "runs stop --all" ends the runs in progress now' : ''}`);
  return EXIT.COMMITTED;
}

async function read(account: Account, name: string): Promise<string> {
  const found = await account.ask({ action: 'ssm:GetParameter', resource: await arnOf(account, name) }, async () => account.ssm.send(new GetParameterCommand({ Name: name })));
  return found.Parameter?.Value ?? '';
}

async function write(account: Account, name: string, value: string): Promise<string> {
  await account.ask({ action: 'ssm:PutParameter', resource: await arnOf(account, name) }, async () => account.ssm.send(new PutParameterCommand({ Name: name, Value: value, Overwrite: true })));
  return value;
}

async function arnOf(account: Account, name: string): Promise<string> {
  return account.arn(`ssm:REGION:*:parameter/${name.replace(/^\//, '')}`);
}
