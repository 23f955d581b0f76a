import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Returns the directory of the package that contains this file, bundled or not. */
export function packageDirectory(directory = __dirname): string {
  return existsSync(join(directory, 'package.json')) ? directory : packageDirectory(dirname(directory));
}
