import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { didYouMean } from '../common/did-you-mean';
import { MisuseError } from '../common/misuse';

/** Fails if the files of the AWS CLI have no such profile: the SDK would look for credentials elsewhere, such as those of the instance. */
export function checkProfile(profile: string | undefined): void {
  if (profile === undefined || profile === '' || profile === 'default') return;
  const files = [
    process.env.AWS_CONFIG_FILE || join(homedir(), '.aws', 'config'),
    process.env.AWS_SHARED_CREDENTIALS_FILE || join(homedir(), '.aws', 'credentials'),
  ];
  const names = files.flatMap(profilesIn);
  if (names.includes(profile)) return;
  throw new MisuseError(`there is no profile "${profile}"${didYouMean(profile, names)}${names.length === 0 ? '' : ' ("aws configure list-profiles" lists them)'}`);
}

function profilesIn(file: string): string[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Without the file there are no profiles.
  }
  const names = [...text.matchAll(/^\s*\[\s*(?:profile\s+)?(["']?)([^\]]+?)\1\s*\]/gm)].map(([, , name]) => name);
  return names.filter((name) => !/^(sso-session|services)\s/.test(name));
}
