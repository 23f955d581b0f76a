/**
 * Compiles the library and a user's code against an `aws-cdk-lib` whose `Runtime` has the members that it may get in the future.
 *
 * If a subclass has a member with the same name as one of its base class but another type, jsii refuses to build the library, and its
 * users cannot upgrade `aws-cdk-lib`. So this script adds the members that are planned or likely (`FUTURE`) to a copy of the installed
 * declarations, except those that exist already. It changes nothing outside its own directory.
 *
 * Usage: npx projen check:upstream-names
 */
import { spawnSync } from 'child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'fs';
import { basename, join, resolve } from 'path';
import { gunzipSync, gzipSync } from 'zlib';
import * as ts from 'typescript';

const ROOT = resolve(__dirname, '..');
const RUNTIME = 'aws-bedrockagentcore/lib/runtime';
const MODULE = 'aws-cdk-lib.aws_bedrockagentcore';

/** A method that an upstream class and its interface may get. */
interface Method {
  readonly name: string;
  readonly parameter: { readonly name: string; readonly type: string; readonly fqn: string; readonly optional?: boolean };
  readonly returns: { readonly type: string; readonly fqn: string };
}

const granting = (name: string): Method => ({
  name,
  parameter: { name: 'grantee', type: 'iam.IGrantable', fqn: 'aws-cdk-lib.aws_iam.IGrantable' },
  returns: { type: 'iam.Grant', fqn: 'aws-cdk-lib.aws_iam.Grant' },
});
const measuring = (name: string): Method => ({
  name,
  parameter: { name: 'props', type: 'cloudwatch.MetricOptions', fqn: 'aws-cdk-lib.aws_cloudwatch.MetricOptions', optional: true },
  returns: { type: 'cloudwatch.Metric', fqn: 'aws-cdk-lib.aws_cloudwatch.Metric' },
});

const FUTURE = {
  /** aws-cdk PR 37639: `RuntimeProps.filesystems?: Filesystem[]`. */
  prop: 'filesystems',
  propClass: 'Filesystem',
  /** In the form of its other grants and metrics. */
  methods: [
    ...['grantInvokeCommand', 'grantInvokeRuntimeCommand', 'grantCommandShell', 'grantInvokeCommandShell', 'grantStopSession', 'grantStopRuntimeSession'].map(granting),
    ...['metricCpuUsed', 'metricMemoryUsed'].map(measuring),
  ],
  /** Private members collide as well. */
  privates: ['filesystems', 'mounts', 'resource', 'grants', 'connect', 'usage', 'validateFilesystems'],
};

/** Copies only the files that compilers read, a third of the package. */
function copyDeclarations(from: string, to: string) {
  cpSync(from, to, {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() ? basename(path) !== 'node_modules' : /\.d\.ts$|\/package\.json$|\/\.jsii(\.gz)?$|aws-cdk-lib\/index\.js$/.test(path),
  });
}

function inserted(text: string, after: string, addition: string): string {
  if (text.split(after).length !== 2) throw new Error(`"${after}" is not there once in the declarations of aws-cdk-lib: mend this script`);
  return text.replace(after, () => `${after}\n${addition}`);
}

function patchDeclarations(library: string) {
  const runtimeFile = join(library, RUNTIME, 'runtime.d.ts');
  const baseFile = join(library, RUNTIME, 'runtime-base.d.ts');
  let runtime = readFileSync(runtimeFile, 'utf8');
  let base = readFileSync(baseFile, 'utf8');

  if (!new RegExp(`\\b${FUTURE.prop}\\?:`).test(runtime)) {
    runtime = inserted(runtime, 'export interface RuntimeProps {', `readonly ${FUTURE.prop}?: ${FUTURE.propClass}[];`);
    runtime += `\nexport declare abstract class ${FUTURE.propClass} { static sessionStorage(mountPath: string): ${FUTURE.propClass}; private readonly path; }\n`;
  }
  const absent = FUTURE.privates.filter((name) => !new RegExp(`\\b${name}\\b`).test(runtime));
  runtime = inserted(runtime, 'export declare class Runtime extends RuntimeBase {', absent.map((name) => `private readonly ${name};`).join(' '));
  for (const { name, parameter, returns } of FUTURE.methods) {
    if (new RegExp(`\\b${name}\\(`).test(base)) continue;
    const declaration = `${name}(${parameter.name}${parameter.optional ? '?' : ''}: ${parameter.type}): ${returns.type};`;
    base = inserted(base, 'export interface IBedrockAgentRuntime extends IResource, iam.IGrantable, ec2.IConnectable, IRuntimeRef {', declaration);
    base = inserted(base, 'export declare abstract class RuntimeBase extends Resource implements IBedrockAgentRuntime {', declaration);
  }
  writeFileSync(runtimeFile, runtime);
  writeFileSync(baseFile, base);
}

interface Member { readonly name: string; [more: string]: unknown }
interface Assembly { readonly types: { [fqn: string]: { methods?: Member[]; properties?: Member[] } } }

/** Adds the same members to the jsii assembly. */
function patchAssembly(library: string) {
  const file = join(library, '.jsii.gz');
  const { types, ...rest } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Assembly;
  const locationInModule = { filename: `${RUNTIME}/runtime.ts`, line: 1 };
  const add = (fqn: string, kind: 'methods' | 'properties', member: Member) => {
    const members = types[fqn][kind] ??= [];
    if (!members.some(({ name }) => name === member.name)) members.push({ ...member, locationInModule });
  };

  const classFqn = `${MODULE}.${FUTURE.propClass}`;
  add(`${MODULE}.RuntimeProps`, 'properties', {
    name: FUTURE.prop, abstract: true, immutable: true, optional: true, type: { collection: { kind: 'array', elementtype: { fqn: classFqn } } },
  });
  types[classFqn] ??= {
    assembly: 'aws-cdk-lib',
    fqn: classFqn,
    kind: 'class',
    name: FUTURE.propClass,
    namespace: 'aws_bedrockagentcore',
    abstract: true,
    initializer: {},
    locationInModule,
    methods: [{ name: 'sessionStorage', static: true, parameters: [{ name: 'mountPath', type: { primitive: 'string' } }], returns: { type: { fqn: classFqn } }, locationInModule }],
  } as object;
  for (const { name, parameter: { type, fqn, ...parameter }, returns } of FUTURE.methods) {
    const method = { name, parameters: [{ ...parameter, type: { fqn } }], returns: { type: { fqn: returns.fqn } } };
    add(`${MODULE}.IBedrockAgentRuntime`, 'methods', { ...method, abstract: true });
    add(`${MODULE}.RuntimeBase`, 'methods', { ...method, overrides: `${MODULE}.IBedrockAgentRuntime` });
  }
  writeFileSync(file, gzipSync(JSON.stringify({ ...rest, types }), { level: 1 }));
}

/** A user's code that already uses the upstream members. */
const CONSUMER = `
import { App, Stack } from 'aws-cdk-lib';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AgentRuntime, AgentRuntimeProps, Mount, RuntimeGrants } from './lib';

const stack = new Stack(new App(), 'Stack');
const grantee = new iam.AccountRootPrincipal();
const props: AgentRuntimeProps = {
  agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromImageUri('agent:1'),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
  filesystems: [agentcore.Filesystem.sessionStorage('/mnt/other')],
};
class Own extends AgentRuntime {}
const ours = new Own(stack, 'Ours', props);
const official: agentcore.Runtime = ours;
const any: agentcore.IBedrockAgentRuntime = ours;
declare const endpoint: agentcore.IRuntimeEndpoint;
const officialProps: agentcore.RuntimeProps = props;
new agentcore.Runtime(stack, 'Official', officialProps);
for (const runtime of [ours, official, any]) {
  const grants: iam.Grant[] = [runtime.grantInvokeCommand(grantee), runtime.grantStopSession(grantee)];
  RuntimeGrants.fromRuntime(runtime).invokeCommand(grantee, { endpoint });
  grants.pop();
}
`;

/** Returns the errors in the library's declarations and in the user's code, but not those in other packages. */
function consumerErrors(directory: string): string {
  const file = join(directory, 'consumer.ts');
  writeFileSync(file, CONSUMER);
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    noEmit: true,
    types: ['node'],
  });
  const own = program.getSourceFiles().filter(({ fileName }) => fileName === file || fileName.startsWith(join(directory, 'lib/')));
  if (own.length < 10) throw new Error('the declarations of the library were not read: mend this script');
  const diagnostics = own.flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]);
  return ts.formatDiagnostics(diagnostics, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => directory, getNewLine: () => '\n' });
}

// Inside the project, so that all other packages are found as usual, without links that compilers would follow.
const copy = mkdtempSync(join(ROOT, '.upstream-names-'));
process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
const library = join(copy, 'node_modules/aws-cdk-lib');
copyDeclarations(join(ROOT, 'node_modules/aws-cdk-lib'), library);
patchDeclarations(library);
patchAssembly(library);
for (const name of ['src', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE', '.npmignore']) {
  cpSync(join(ROOT, name), join(copy, name), { recursive: true });
}

const jsii = spawnSync(process.execPath, [join(ROOT, 'node_modules/jsii/bin/jsii'), '--silence-warnings=reserved-word'], { cwd: copy, encoding: 'utf8' });
const faults = jsii.status === 0 ? consumerErrors(copy) : `${jsii.stdout}${jsii.stderr}`;
console.log(faults === '' ? `ok: the library and its users compile against a Runtime with ${FUTURE.prop} and ${FUTURE.methods.length} more methods` : faults);
process.exitCode = faults === '' ? 0 : 1;
