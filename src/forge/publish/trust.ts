import * as tls from 'tls';

/** Node.js has these functions since 22.15 and 22.19. */
interface CaStore {
  getCACertificates?(type: 'default'): string[];
  setDefaultCACertificates?(certificates: readonly string[]): void;
}

/**
 * Trusts certificates of authorities in addition to the public ones, in all connections of this process.
 *
 * @param bundle certificates in PEM
 */
export function trust(bundle: string, store: CaStore = tls as CaStore): void {
  const certificates = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (store.getCACertificates === undefined || store.setDefaultCACertificates === undefined) {
    throw new TypeError(`Node.js ${process.version} cannot trust the certificates of "caBundle": run the publisher with Node.js 22.19 or later`);
  }
  store.setDefaultCACertificates([...store.getCACertificates('default'), ...certificates]);
}
