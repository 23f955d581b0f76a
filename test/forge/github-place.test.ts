import { gitHubClient } from '../../src/forge/publish/github/github-client';
import { GitHubConfig, isOfApp, placeOf } from '../../src/forge/publish/github/place';
import { SYSTEM_CLOCK } from '../../src/handler/clock';
import { FORGE_ERRORS } from '../../src/loop/steps/constants';

const config = (baseUrl?: string): GitHubConfig => ({ kind: 'github', secretArn: 'arn:token', baseUrl });

test.each([
  [undefined, 'https://github.com/octo/shop', 'https://api.github.com', 'https://api.github.com/graphql'],
  [undefined, 'https://github.com/octo/shop.git/', 'https://api.github.com', 'https://api.github.com/graphql'],
  ['https://api.github.com/', 'https://github.com/octo/shop.git', 'https://api.github.com', 'https://api.github.com/graphql'],
  ['https://ghe.example.com/api/v3', 'https://ghe.example.com/octo/shop', 'https://ghe.example.com/api/v3', 'https://ghe.example.com/api/graphql'],
  ['https://ghe.example.com:8443/api/v3//', 'https://ghe.example.com:8443/octo/shop', 'https://ghe.example.com:8443/api/v3', 'https://ghe.example.com:8443/api/graphql'],
  ['https://api.octo.ghe.com', 'https://octo.ghe.com/octo/shop.git', 'https://api.octo.ghe.com', 'https://api.octo.ghe.com/graphql'],
  ['HTTPS://API.GITHUB.COM', 'https://GitHub.com/octo/shop', 'https://api.github.com', 'https://api.github.com/graphql'],
])('with "baseUrl" %s, the API of %s is at %s', (baseUrl, url, api, graphql) => {
  expect(placeOf(config(baseUrl), url)).toEqual({ owner: 'octo', repo: 'shop', api, graphql });
});

test.each(['shop.git.git', '.github', 'a.git-b'])('the name %s is taken as it is, but for one .git', (name) => {
  expect(placeOf(config(), `https://github.com/octo/${name}`).repo).toBe(name.replace(/\.git$/, ''));
});

test('a forge on this machine stands for any other', () => {
  const place = { owner: 'octo', repo: 'shop', api: 'http://127.0.0.1:8080/api/v3', graphql: 'http://127.0.0.1:8080/api/graphql' };
  for (const url of ['https://github.com/octo/shop', 'http://127.0.0.1:8080/octo/shop.git']) {
    expect(placeOf(config('https://ghe.example.com/api/v3'), url, 'http://127.0.0.1:8080')).toEqual(place);
  }
});

test.each([
  ['a host whose API is another', undefined, 'https://ghe.example.com/octo/shop', '"baseUrl" must be the API of ghe.example.com, such as https://ghe.example.com/api/v3, not https://api.github.com/'],
  ['a host that ends alike', undefined, 'https://evilgithub.com/octo/shop', '"baseUrl" must be the API of evilgithub.com'],
  ['a host that begins alike', 'https://github.com.example.com/api/v3', 'https://github.com/octo/shop', '"baseUrl" must be the API of github.com, such as https://api.github.com, not https://github.com.example.com/api/v3'],
  ['an API that ends alike', 'https://evilgithub.com/api/v3', 'https://github.com/octo/shop', 'not https://evilgithub.com/api/v3'],
  ['an API of another name in the domain', 'https://pages.github.com', 'https://github.com/octo/shop', 'not https://pages.github.com/'],
  ['another port', 'https://ghe.example.com:8443/api/v3', 'https://ghe.example.com/octo/shop', '"baseUrl" must be the API of ghe.example.com'],
  ['a user that looks like a host', undefined, 'https://github.com@example.com/octo/shop', '"baseUrl" must be the API of example.com'],
  ['an API without TLS', 'http://ghe.example.com/api/v3', 'https://ghe.example.com/octo/shop', 'must begin with https://'],
  ['a repository without TLS', undefined, 'http://github.com/octo/shop', 'must begin with https://'],
  ['a repository over SSH', undefined, 'git@github.com:octo/shop.git', 'the URL of the repository must be a URL'],
  ['no repository', undefined, 'https://github.com/octo', 'must be https://HOST/OWNER/NAME, not https://github.com/octo'],
  ['more than a repository', undefined, 'https://github.com/octo/shop/tree/main', 'must be https://HOST/OWNER/NAME'],
  ['an API that is no URL', 'ghe', 'https://github.com/octo/shop', '"baseUrl" must be a URL'],
])('fails for %s', (_, baseUrl, url, message) => {
  const error = { name: FORGE_ERRORS.UNEXPECTED, message: expect.stringContaining(message) };
  expect(() => placeOf(config(baseUrl), url)).toThrow(expect.objectContaining(error));
});

test.each(['https://example.com', 'http://127.0.0.1.example.com:80', 'http://localhost:80'])('fails for %s as the forge on this machine', (origin) => {
  expect(() => placeOf(config(), 'https://github.com/octo/shop', origin)).toThrow('the local origin must be at 127.0.0.1');
});

test('fails without quoting a password in the URL, and without reading a secret', () => {
  const readSecret = jest.fn();
  const make = (url: string) => () => gitHubClient(config(), url, { readSecret, clock: SYSTEM_CLOCK });
  expect(make('https://user:passw0rd@example.com/octo/shop')).toThrow(expect.objectContaining({ message: expect.not.stringContaining('passw0rd') }));
  expect(make('https://user:passw0rd@github.com/octo')).toThrow(expect.objectContaining({ message: expect.not.stringContaining('passw0rd') }));
  expect(readSecret).not.toHaveBeenCalled();
});

test.each([
  [null, false], [undefined, false], [{ id: 4711 }, true], [{ id: 4711, client_id: 'Iv1.b' }, true], [{ id: 1, client_id: 'Iv1.a' }, false], [{ id: 1 }, false],
])('%j is of the app 4711: %s', (by, isOurs) => {
  expect(isOfApp(by, { appId: '4711' })).toBe(isOurs);
  expect(isOfApp({ id: 1, client_id: 'Iv1.a' }, { appId: 'Iv1.a' })).toBe(true);
});
