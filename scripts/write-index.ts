/**
 * Writes `lib/index.js` from the jsii assembly: each public class is loaded when it is first used, as in aws-cdk-lib. An app
 * with a runtime and no loop does not wait for Step Functions, Lambda and EventBridge to load.
 *
 * The compiler's own index cannot be lazy, and getters that are hide the names from ES modules: Node finds the names of a
 * CommonJS module by reading its text. The last statement is for that reader, and is never executed.
 */
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';
import type { Assembly } from '@jsii/spec';

const ROOT = join(__dirname, '..');

const assembly: Assembly = JSON.parse(readFileSync(join(ROOT, '.jsii'), 'utf8'));

/** Classes and enums, by name, each with the module that defines it. Interfaces are types, and leave nothing to load. */
const modules = Object.values(assembly.types ?? {})
  .filter(({ kind }) => kind !== 'interface')
  .map(({ name, symbolId }) => ({ name, module: symbolId!.split(':')[0].replace(/^src\//, './') }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

const names = modules.map(({ name }) => name).join(', ');

writeFileSync(join(ROOT, 'lib/index.js'), `"use strict";
// Written by scripts/write-index.ts.
Object.defineProperty(exports, "__esModule", { value: true });
const define = (name, get) => Object.defineProperty(exports, name, { enumerable: true, configurable: true, get });
${modules.map(({ name, module }) => `define(${JSON.stringify(name)}, () => require(${JSON.stringify(module)}).${name});`).join('\n')}
0 && (module.exports = { ${names} });
`);
