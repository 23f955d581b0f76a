import { ERRORS, LIMITS } from './constants';
import { SessionError } from './errors';
import { faultsOf, Rule } from '../private/rule';

/** A session of a runtime. */
export interface SessionAddress {
  readonly runtimeArn: string;
  /** Name of an endpoint. @default DEFAULT */
  readonly qualifier?: string;
  /** 33 to 100 characters. */
  readonly sessionId: string;
}

/** Without a session id, the SDK makes one up, and with it a session that is never stopped. */
export const ADDRESS_RULES: readonly Rule<SessionAddress>[] = [
  {
    broken: ({ runtimeArn }) => typeof runtimeArn !== 'string' || runtimeArn === '',
    message: () => '"runtimeArn" must be an ARN',
  },
  {
    broken: ({ sessionId }) => typeof sessionId !== 'string' || sessionId.length < LIMITS.sessionId.min || sessionId.length > LIMITS.sessionId.max,
    message: ({ sessionId }) => `"sessionId" must have ${LIMITS.sessionId.min} to ${LIMITS.sessionId.max} characters, not ${String(sessionId ?? '').length}`,
  },
];

/** Fails before anything is sent. */
export function checkAddress(address: SessionAddress): void {
  const faults = faultsOf(address, ADDRESS_RULES);
  if (faults.length > 0) throw new SessionError(ERRORS.VALIDATION, faults.join('; '));
}
