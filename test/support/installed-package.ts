import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const ROOT = resolve(__dirname, '../..');

const versionOf = (name: string) => `${name}@${(JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version}`;

/** A user's folder in which the package is installed as published, together with the CDK. */
export class InstalledPackage {
  /** @param others more packages from the registry, as `npm install` takes them */
  static install(...others: string[]): InstalledPackage {
    const home = mkdtempSync(join(tmpdir(), 'install-'));
    const app = join(home, 'app');
    mkdirSync(app);
    const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', home], { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
    const [{ filename }] = JSON.parse(packed) as { filename: string }[];
    const installed = new InstalledPackage(home, app);
    installed.write('package.json', '{ "private": true }\n');
    installed.run('npm', 'install', '--silent', '--prefer-offline', '--no-audit', '--no-fund',
      join(home, filename), versionOf('aws-cdk-lib'), versionOf('constructs'), ...others);
    return installed;
  }

  private constructor(readonly home: string, readonly app: string) {}

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.app, path)), { recursive: true });
    writeFileSync(join(this.app, path), text);
  }

  run(program: string, ...args: string[]): string {
    return execFileSync(program, args, { cwd: this.app, encoding: 'utf8', stdio: 'pipe' });
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
