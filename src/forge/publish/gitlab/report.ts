import { GitLabApi } from './api';
import { TITLE_LENGTH } from './text';
import { Clock } from '../../../handler/clock';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { GateStatus } from '../forge-client';
import { foundOrMade } from '../found-or-made';
import { ForgeError } from '../smart-http';
import { bounded } from '../text';

/** The parts of a status at GitLab that are read. */
interface Status {
  readonly name: string;
  readonly status: string;
  readonly description: string | null;
}

/** Shows gates as statuses of the commit. GitLab makes a status anew whenever it is sent, so that one that is there already is not sent. */
export async function reportStatuses(api: GitLabApi, commit: string, gates: readonly GateStatus[], clock: Clock): Promise<void> {
  for (const { name: gate, title } of gates) {
    const name = bounded(`workbench/${gate}`, TITLE_LENGTH, '…');
    const description = bounded(title, TITLE_LENGTH, '…');
    const find = async () => {
      const { data } = await api.ofProject<Status[]>('GET', `/repository/commits/${commit}/statuses`, { query: { name, per_page: 100 } });
      return data.find((one) => one.name === name && one.status === 'success' && one.description === description);
    };
    const make = async () => (await api.ofProject<Status>('POST', `/statuses/${commit}`, { body: { state: 'success', name, description } })).data;
    // Two writers of statuses exclude each other.
    const existed = ({ name: kind, quote }: ForgeError) => kind === FORGE_ERRORS.REFUSED && /update to this commit status is in progress/i.test(quote);
    await foundOrMade({ find, make, existed }, clock);
  }
}
