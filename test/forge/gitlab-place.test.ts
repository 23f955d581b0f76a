import { placeOf } from '../../src/forge/publish/gitlab/place';
import { FORGE_ERRORS } from '../../src/loop/steps/constants';

const place = (repository: string, baseUrl?: string, localOrigin?: string) => placeOf({ kind: 'gitlab', secretArn: 'arn:token', baseUrl }, repository, localOrigin);

test.each<[string, string | undefined, string, string]>([
  ['https://gitlab.com/group/app.git', undefined, 'group/app', 'https://gitlab.com/api/v4'],
  ['https://gitlab.com/group/sub/deep/app/', undefined, 'group/sub/deep/app', 'https://gitlab.com/api/v4'],
  ['https://git.example.com/group/app.git', 'https://git.example.com', 'group/app', 'https://git.example.com/api/v4'],
  ['https://git.example.com:8443/tools/gitlab/group/app', 'https://git.example.com:8443/tools/gitlab/', 'group/app', 'https://git.example.com:8443/tools/gitlab/api/v4'],
  ['https://gitlab.com/gr%C3%BCn/app.git', undefined, 'grün/app', 'https://gitlab.com/api/v4'],
])('%s with the instance %s is the project %s', (repository, baseUrl, project, api) => {
  expect(place(repository, baseUrl)).toEqual({ project, api });
});

test.each<[string, string | undefined, RegExp]>([
  ['https://gitlab.com/app.git', undefined, /must be https:\/\/HOST\/GROUP\/NAME/],
  ['http://gitlab.com/group/app.git', undefined, /must begin with https/],
  ['https://evil.example/group/app.git', undefined, /must be the GitLab instance of evil\.example/],
  ['https://git.example.com/group/app.git', 'https://git.example.com/tools', /must be the GitLab instance/],
  ['https://git.example.com/toolsmith/app.git', 'https://git.example.com/tools', /must be the GitLab instance/],
  ['no URL', undefined, /the URL of the repository must be a URL/],
  ['https://gitlab.com/group/app.git', 'gitlab', /"baseUrl" must be a URL/],
])('fails for %s with the instance %s', (repository, baseUrl, message) => {
  const refused = () => place(repository, baseUrl);
  expect(refused).toThrow(message);
  expect(refused).toThrow(expect.objectContaining({ name: FORGE_ERRORS.UNEXPECTED }));
});

test('a local origin is one of this machine', () => {
  expect(place('https://gitlab.com/group/app.git', undefined, 'http://127.0.0.1:80')).toEqual({ project: 'group/app', api: 'http://127.0.0.1/api/v4' });
  expect(place('http://127.0.0.1:8080/group/app.git', 'https://git.example.com/tools', 'http://127.0.0.1:8080').project).toBe('group/app');
  expect(() => place('https://gitlab.com/group/app.git', undefined, 'http://example.com')).toThrow('127.0.0.1');
});
