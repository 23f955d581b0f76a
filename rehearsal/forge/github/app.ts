import { randomBytes, verify } from 'node:crypto';
import type { ForgeApp, ForgeRepository } from '../store';
import { Answer, ApiError, notFound } from './answers';
import { RequestContext } from './context';
import { appObject, installationObject, repositoryObject } from './objects';

/** The maximum life of a JSON web token of an app, in seconds. */
const LONGEST = 600;

/** The tolerance for clocks that differ, in seconds. */
const SKEW = 60;

/** The life of an installation token, in milliseconds. */
const TOKEN_LIFE = 3_600_000;

/** Returns the app that a JSON web token is of, or refuses it in the words of GitHub. */
export function verifiedApp(authorization: string | undefined, app: ForgeApp | undefined, now: number): ForgeApp {
  const undecoded = () => new ApiError(401, 'A JSON web token could not be decoded');
  const [, jwt = ''] = /^bearer (.+)$/i.exec(authorization ?? '') ?? [];
  const [header, payload, signature, ...rest] = jwt.split('.');
  if (signature === undefined || rest.length > 0) throw undecoded();
  const claims = part(payload);
  if (part(header)?.alg !== 'RS256' || claims === undefined) throw undecoded();
  const { iss, iat, exp } = claims as { iss?: unknown; iat?: unknown; exp?: unknown };
  if (app === undefined || String(iss) !== app.id) throw new ApiError(404, 'Integration not found');
  if (!verify('RSA-SHA256', Buffer.from(`${header}.${payload}`), app.publicKey, Buffer.from(signature, 'base64url'))) throw undecoded();
  const seconds = now / 1_000;
  if (typeof exp !== 'number' || exp <= seconds) {
    throw new ApiError(401, '\'Expiration time\' claim (\'exp\') must be a numeric value representing the future time at which the assertion expires');
  }
  if (exp > seconds + LONGEST) throw new ApiError(401, '\'Expiration time\' claim (\'exp\') is too far in the future');
  if (!Number.isInteger(iat) || (iat as number) > seconds + SKEW) {
    throw new ApiError(401, '\'Issued at\' claim (\'iat\') must be an Integer representing the time that the assertion was issued');
  }
  return app;
}

function part(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

/** `GET /repos/{owner}/{repo}/installation` */
export function getInstallation({ state, origin, app }: RequestContext, repository: ForgeRepository): Answer {
  const installation = state.installation(repository.owner);
  if (installation.without.has(repository.name)) throw notFound();
  return { status: 200, body: installationObject(installation, app!, state, origin) };
}

/** `GET /app` */
export function getApp({ app, state, origin }: RequestContext): Answer {
  return { status: 200, body: appObject(app!, state, origin) };
}

/** `POST /app/installations/{installation_id}/access_tokens` */
export function makeToken({ state, store, body, origin, app, params }: RequestContext): Answer {
  const installation = state.installationById(Number(params.installation_id));
  if (installation === undefined) throw notFound();
  if (installation.suspended) throw new ApiError(403, 'This installation has been suspended');
  const asked = (body.permissions ?? installation.permissions) as Readonly<Record<string, 'read' | 'write'>>;
  const isGranted = ([name, access]: [string, string]) => access === installation.permissions[name] || (access === 'read' && installation.permissions[name] === 'write');
  if (!Object.entries(asked).every(isGranted)) throw new ApiError(422, 'The permissions requested are not granted to this installation.');
  const names = body.repositories as readonly string[] | undefined;
  const repositories = (names ?? []).map((name) => store.repository(`${installation.owner}/${name}`));
  if (repositories.some((one) => one === undefined || installation.without.has(one.name))) {
    throw new ApiError(422, 'There is at least one repository that does not exist or is not accessible to the parent installation.');
  }
  if (names === undefined || names.length === 0) throw new ApiError(422, 'Tokens for all repositories are not emulated: name the repositories.');
  const expiresAt = store.now() + TOKEN_LIFE;
  const permissions = { ...asked, metadata: 'read' as const };
  const { value } = store.addToken({
    value: `ghs_${randomBytes(27).toString('base64url').replace(/[-_]/g, 'x')}`,
    repositories: repositories.map((one) => `${one!.owner}/${one!.name}`),
    permissions,
    login: `${app!.slug}[bot]`,
    expiresAt,
    username: 'x-access-token',
    installationId: installation.id,
  });
  return {
    status: 201,
    body: {
      token: value,
      expires_at: state.time(TOKEN_LIFE),
      permissions,
      repository_selection: 'selected',
      repositories: repositories.map((one) => repositoryObject(state.of(one!), origin)),
    },
  };
}
