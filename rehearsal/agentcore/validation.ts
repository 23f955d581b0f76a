import { validation } from './errors';
import { LIMITS } from './limits';
import type { FilesystemConfiguration, RuntimeConfiguration } from './registry';
import { normalizeMountPath } from '../../src/mount/constants';

const NAME = /^[a-zA-Z][a-zA-Z0-9_]{0,47}$/;
const MOUNT_PATH = /^\/mnt\/[a-zA-Z0-9._-]+\/?$/;
const EFS = /^arn:aws[-a-z]*:elasticfilesystem:[0-9a-z-:]+:access-point\/fsap-[0-9a-f]{8,40}$/;
const S3_FILES = /^arn:aws[-a-z]*:s3files:[0-9a-z-:]+:file-system\/fs-[0-9a-f]{17,40}\/access-point\/fsap-[0-9a-f]{17,40}$/;
const ROLE = /^arn:aws(-[^:]+)?:iam::([0-9]{12})?:role\/.+$/;

interface Rule {
  readonly broken: boolean;
  readonly message: string;
}

/** Throws the service's error with everything that is wrong. */
function check(rules: readonly Rule[]): void {
  const broken = rules.filter(rule => rule.broken).map(rule => rule.message);
  if (broken.length > 0) {
    throw validation(`${broken.length} validation error${broken.length > 1 ? 's' : ''} detected: ${broken.join('; ')}`);
  }
}

export function validateName(name: unknown, field = 'agentRuntimeName'): void {
  check([{ broken: typeof name !== 'string' || !NAME.test(name), message: `Value '${String(name)}' at '${field}' failed to satisfy constraint: ${NAME.source}` }]);
}

export function validateConfiguration(configuration: RuntimeConfiguration): void {
  const { agentRuntimeArtifact, roleArn, environmentVariables = {}, lifecycleConfiguration = {}, description } = configuration;
  const { idleRuntimeSessionTimeout: idle, maxLifetime } = lifecycleConfiguration;
  const variables = Object.entries(environmentVariables);
  check([
    { broken: agentRuntimeArtifact === undefined, message: 'agentRuntimeArtifact is required' },
    { broken: typeof roleArn !== 'string' || !ROLE.test(roleArn), message: `'${roleArn}' at 'roleArn' is not the ARN of a role` },
    { broken: description !== undefined && (description.length < 1 || description.length > 4_096), message: 'description must have 1 to 4096 characters' },
    { broken: variables.length > 50, message: `there may be at most 50 environment variables, not ${variables.length}` },
    ...variables.map(([name, value]) => ({
      broken: name.length < 1 || name.length > 100 || value.length > 5_000,
      message: `environment variable '${name}' must have a name of 1 to 100 and a value of up to 5000 characters`,
    })),
    seconds('idleRuntimeSessionTimeout', idle, LIMITS.idleTimeout),
    seconds('maxLifetime', maxLifetime, LIMITS.maxLifetime),
    {
      broken: idle !== undefined && idle > (maxLifetime ?? LIMITS.maxLifetime.default),
      message: `idleRuntimeSessionTimeout (${idle}) must be at most maxLifetime (${maxLifetime ?? LIMITS.maxLifetime.default})`,
    },
    ...filesystemRules(configuration.filesystemConfigurations ?? [], configuration),
  ]);
}

function seconds(field: string, value: number | undefined, { min, max }: { min: number; max: number }): Rule {
  return { broken: value !== undefined && (value < min || value > max), message: `${field} must be ${min} to ${max} seconds, not ${value}` };
}

function filesystemRules(items: readonly FilesystemConfiguration[], runtime: RuntimeConfiguration): Rule[] {
  const count = (kind: keyof FilesystemConfiguration) => items.filter(item => item[kind] !== undefined).length;
  const paths = items.map(mountPath);
  const normalized = paths.map(path => normalizeMountPath(path));
  const vpc = runtime.networkConfiguration?.networkMode === 'VPC';
  return [
    { broken: items.length > 5, message: `there may be at most 5 file systems, not ${items.length}` },
    { broken: count('sessionStorage') > 1, message: `there may be at most 1 sessionStorage, not ${count('sessionStorage')}` },
    { broken: count('efsAccessPoint') > 2, message: `there may be at most 2 efsAccessPoint, not ${count('efsAccessPoint')}` },
    { broken: count('s3FilesAccessPoint') > 2, message: `there may be at most 2 s3FilesAccessPoint, not ${count('s3FilesAccessPoint')}` },
    { broken: new Set(normalized).size !== paths.length, message: 'each mount path must be unique across all configurations' },
    { broken: !vpc && count('efsAccessPoint') + count('s3FilesAccessPoint') > 0, message: 'efsAccessPoint and s3FilesAccessPoint need the network mode VPC' },
    { broken: runtime.capacityProviderConfiguration === undefined && count('capacityProviderVolume') > 0, message: 'capacityProviderVolume needs capacityProviderConfiguration' },
    ...items.map(item => ({ broken: Object.keys(item).length !== 1, message: 'each file system must have exactly one member' })),
    ...paths.map(path => ({
      broken: path.length < 6 || path.length > 200 || !MOUNT_PATH.test(path),
      message: `Value '${path}' at 'mountPath' failed to satisfy constraint: ${MOUNT_PATH.source}`,
    })),
    ...items.flatMap(({ efsAccessPoint: efs, s3FilesAccessPoint: s3 }) => [
      { broken: efs !== undefined && !EFS.test(efs.accessPointArn), message: `'${efs?.accessPointArn}' is not the ARN of an EFS access point` },
      { broken: s3 !== undefined && !S3_FILES.test(s3.accessPointArn), message: `'${s3?.accessPointArn}' is not the ARN of an S3 Files access point` },
    ]),
  ];
}

function mountPath(item: FilesystemConfiguration): string {
  return Object.values(item).map(({ mountPath: path }: { mountPath: string }) => path)[0] ?? '';
}
