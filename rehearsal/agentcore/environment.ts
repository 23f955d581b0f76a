/** What a program needs to find its tools and the network; nothing that could be a credential. */
const TAKEN_OVER = [
  'PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TERM',
  'http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY',
  'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'GIT_SSL_CAINFO',
];

/** The part of the host's environment that containers get. */
export function hostEnvironment(region: string): Record<string, string> {
  const taken = TAKEN_OVER.flatMap(name => process.env[name] !== undefined ? [[name, process.env[name]]] : []);
  return { ...Object.fromEntries(taken) as Record<string, string>, AWS_REGION: region, AWS_DEFAULT_REGION: region };
}
