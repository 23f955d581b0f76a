/** What a program needs to find the network; nothing that could be a credential. */
const NETWORK = ['LANG', 'LC_ALL', 'TZ', 'TERM', 'http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];

/** Where this machine has its tools and certificates. */
const PLACES = [
  'PATH', 'HOME', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'GIT_SSL_CAINFO',
];

/** The part of the host's environment that containers get. @param ownImage they have tools and certificates of its own, in other places */
export function hostEnvironment(region: string, ownImage = false): Record<string, string> {
  const names = ownImage ? NETWORK : [...NETWORK, ...PLACES];
  const taken = names.flatMap(name => process.env[name] !== undefined ? [[name, process.env[name]]] : []);
  return { ...Object.fromEntries(taken) as Record<string, string>, AWS_REGION: region, AWS_DEFAULT_REGION: region };
}
