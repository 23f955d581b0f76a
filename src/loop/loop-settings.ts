import { Validations } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { Baseline, CodingLoopProps } from './coding-loop-props';
import { Commit } from './commit';
import { GitRepository } from './git-repository';
import { LoopTarget } from './loop-graph';
import { operateConfig } from './loop-operations';
import { checksBase } from './loop-plan';
import { mountOf } from './loop-rules';
import { LOOP_LIMITS } from './steps/constants';
import { Verification } from './verification';
import { SessionDriver } from '../driver/session-driver';
import { Publisher } from '../forge';
import { sorted } from '../private/sorted';
import { sessionStorageMountOf } from '../runtime/introspection';

/** Creates the function that holds the credential of the forge, if the loop needs it. */
export function loopPublisher(
  scope: Construct, { repository, runtime, endpoint, commit = Commit.push() }: CodingLoopProps, verification: Verification,
): lambda.IFunction | undefined {
  const { forge } = repository;
  if (forge === undefined || !(commit.pushes || forge._reads)) return undefined;
  const ofVerification = verification._runtime === undefined ? [] : [{ runtime: verification._runtime, endpoint: verification._endpoint }];
  const sources = [{ runtime, endpoint }, ...ofVerification];
  return new Publisher(scope, 'Publisher', {
    forge, repositories: repository._patterns, branchPrefix: commit._branchPrefix, sources,
  }).function;
}

/** Returns the configuration that every step of a run receives. */
export function loopConfig(
  scope: Construct, props: CodingLoopProps, { driver, publisher }: { readonly driver: SessionDriver; readonly publisher?: lambda.IFunction },
): LoopTarget['config'] {
  const mount = mountOf(props)!;
  const { commit = Commit.push() } = props;
  return {
    name: scope.node.path,
    mount,
    // A run of another session may be at work in a mount that is not the session's own.
    ...(sessionStorageMountOf(props.runtime) === mount ? {} : { shared: true }),
    ...props.repository._clone(),
    author: commit._author,
    push: commit.pushes,
    ...(publisher === undefined ? {} : { forge: forgeOf(props.repository, commit, publisher) }),
    ...(checksBase(props) ? { checkBase: true } : {}),
    ...(props.baseline === Baseline.KNOWN_FAILURES ? { knownFailures: true } : {}),
    ...(props.verification ?? Verification.inFreshSession())._config(props.maxRepairs ?? 3),
    ...(props.endpoint === undefined ? {} : { endpointName: props.endpoint.endpointName }),
    ...(props.environment === undefined ? {} : { environment: sorted(props.environment) }),
    ...operateConfig(scope, props, driver),
  };
}

/** Returns the part of the configuration that is about the forge. */
function forgeOf({ forge }: GitRepository, { pushes, _proposal }: Commit, publisher: lambda.IFunction): object {
  const { _proposes: proposes, _reads: reads } = forge!;
  const uses = [...(_proposal === undefined ? [] : ['pullRequest']), ...(pushes && proposes ? ['report'] : [])];
  const base = _proposal?.base === undefined ? {} : { base: _proposal.base };
  return { publisher: publisher.functionArn, reads, uses, ...base, comments: proposes };
}

/** Returns the maximum size of a prompt, in bytes: it has to fit the request of each step beside the loop's own configuration. */
export function promptBytesOf(requests: readonly unknown[], { baseline, turn }: CodingLoopProps): number {
  const known = baseline === Baseline.KNOWN_FAILURES ? LOOP_LIMITS.knownFailures * LOOP_LIMITS.shortName : 0;
  const others = Buffer.byteLength(JSON.stringify(requests)) + known + (turn?._reports ? LOOP_LIMITS.agentBytes : 0);
  return Math.max(0, Math.min(LOOP_LIMITS.promptBytes, LOOP_LIMITS.requestBytes - others));
}

/** Warns that anyone who may start runs decides where the session's git credentials are sent. */
export function warnAboutAnyRepository(scope: Construct, { url, allow }: GitRepository): void {
  if (url !== undefined || allow !== undefined) return;
  Validations.of(scope).addWarning('cdk-agentcore-workbench:anyRepository',
    'a run\'s input may name any repository that is reached by https, and the session\'s credentials for git go there: '
    + 'limit the URLs with "allow" of GitRepository.fromInput, such as ["https://git.example.com/team/*"]');
}
