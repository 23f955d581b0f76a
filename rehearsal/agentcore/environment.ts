import { homeDirectory } from '../common/home';

/** Variables that a program needs to use the network; none of them holds a credential. */
const NETWORK = ['LANG', 'LC_ALL', 'TZ', 'TERM', 'http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];

/** Variables that name the directories of this machine's tools and certificates. */
const PLACES = [
  'PATH', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'GIT_SSL_CAINFO',
];

/** Any of them says where credentials come from. */
const CREDENTIALS = [
  'AWS_ACCESS_KEY_ID', 'AWS_PROFILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE', 'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/** The part of the host's environment that containers get. @param ownImage they have tools and certificates of its own, in other places */
export function hostEnvironment(region: string, ownImage = false): Record<string, string> {
  const names = ownImage ? NETWORK : [...NETWORK, ...PLACES];
  const taken = names.flatMap(name => process.env[name] !== undefined ? [[name, process.env[name]]] : []);
  // Many programs need a home, and a session has a /tmp of its own.
  const home: Record<string, string> = ownImage ? {} : { HOME: homeDirectory() ?? '/tmp' };
  return { ...Object.fromEntries(taken) as Record<string, string>, ...home, AWS_REGION: region, AWS_DEFAULT_REGION: region };
}

/**
 * Variables with the endpoint of Step Functions and with credentials that stand for the sessions' execution role. AWS refuses these; the server
 * recognizes the role by them. Without them, programs would find the user's own credentials.
 *
 * Other services have no endpoint here, so that tests can use the real ones or stand-ins of their own.
 *
 * @param given the other variables of the sessions; credentials among them are kept
 */
export function serviceEnvironment(endpoint: string, accessKeyId: string, given: Readonly<Record<string, string>> = {}): Record<string, string> {
  const isProxied = NETWORK.some(name => /^https?_proxy$/i.test(name) && process.env[name] !== undefined);
  const direct = [process.env.no_proxy ?? process.env.NO_PROXY, new URL(endpoint).hostname].filter(Boolean).join(',');
  return {
    AWS_ENDPOINT_URL_SFN: endpoint,
    ...isProxied ? { no_proxy: direct, NO_PROXY: direct } : {},
    ...CREDENTIALS.some(name => name in given) ? {} : {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_SESSION_TOKEN: 'local',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  };
}
