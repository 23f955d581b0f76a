import { BRAKE_ENVIRONMENT, BRAKE_ON } from './constants';
import { AwsRequests } from '../handler/aws-requests';

/**
 * Pulls a brake when an alarm goes off.
 *
 * CloudWatch invokes it asynchronously, and Lambda retries it twice if it fails. It does not release the brake when the alarm returns to `OK`: a
 * person decides whether runs may begin again.
 */
export interface AlarmEvent {
  readonly alarmData?: { readonly alarmName?: string; readonly state?: { readonly value?: string } };
}

/** The timeout of the request, in seconds. */
const REQUEST_SECONDS = 20;

export async function handler({ alarmData }: AlarmEvent): Promise<{ readonly brake: string }> {
  // An alarm can have this action for its OK state, too.
  if (alarmData?.state?.value === 'OK') return { brake: 'left as it is' };
  const requests = new AwsRequests('ssm', process.env.AWS_ENDPOINT_URL_SSM ?? process.env.AWS_ENDPOINT_URL);
  const parameters = { Name: process.env[BRAKE_ENVIRONMENT.PARAMETER], Value: BRAKE_ON, Overwrite: true };
  await requests.json('1.1', 'AmazonSSM.PutParameter', parameters, AbortSignal.timeout(REQUEST_SECONDS * 1_000));
  console.log(JSON.stringify({ message: 'brake pulled', alarm: alarmData?.alarmName }));
  return { brake: BRAKE_ON };
}
