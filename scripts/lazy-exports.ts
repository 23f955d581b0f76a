/**
 * Makes the compiled `lib/index.js` load a feature when it is first used, as aws-cdk-lib does: an app with a runtime and no loop
 * should not wait for Step Functions, Lambda and EventBridge to load.
 */
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

const INDEX = join(__dirname, '../lib/index.js');

const lazy = readFileSync(INDEX, 'utf8')
  .replace(/^var (\w+) = require\("(\.\/\w+)"\);$/gm, 'var $1 = () => { const loaded = require("$2"); $1 = () => loaded; return loaded; };')
  .replace(/get: function \(\) \{ return (\w+)\.(\w+); \}/g, 'get: function () { return $1().$2; }');

const eager = lazy.split('\n').filter((line) => /^(?:var|const) \w+ = require\(/.test(line));
if (eager.length > 0 || !lazy.includes('().')) throw new Error(`lib/index.js is not as the compiler used to write it: ${eager.join(' ') || 'no exports'}`);
writeFileSync(INDEX, lazy);
