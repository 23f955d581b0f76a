import { trust } from '../../src/forge/publish/trust';

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';

test('certificates are trusted in addition to those of Node.js', () => {
  const set: string[][] = [];
  trust(`# ours\n${CERTIFICATE}\n${CERTIFICATE}\n`, {
    getCACertificates: () => ['public'], setDefaultCACertificates: (certificates) => set.push([...certificates]),
  });
  expect(set).toEqual([['public', CERTIFICATE, CERTIFICATE]]);
});

test('a Node.js that cannot do that says so', () => {
  expect(() => trust(CERTIFICATE, {})).toThrow('run the publisher with Node.js 22.19 or later');
});
