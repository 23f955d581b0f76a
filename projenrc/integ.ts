import { awscdk } from 'projen';

/** Both are required, or the runner waits seven seconds for a metadata service that does not exist. */
const OFFLINE = { AWS_EC2_METADATA_DISABLED: 'true', AWS_REGION: 'us-east-1', TS_NODE_TRANSPILE_ONLY: 'true' };

export function configureInteg(project: awscdk.AwsCdkConstructLibrary) {
  // 2.197 is the newest version that reads the assembly schema of aws-cdk-lib 2.257.
  project.addDevDeps('@aws-cdk/integ-runner@~2.197.0', '@aws-cdk/integ-tests-alpha@2.245.0-alpha.0');
  const runner = 'integ-runner --directory integ --language typescript --parallel-regions us-east-1';
  const integ = project.addTask('integ', {
    description: 'Compare the templates of integ/ with their snapshots',
    exec: runner,
    env: OFFLINE,
    receiveArgs: true,
  });
  project.addTask('integ:update', {
    description: 'Write the snapshots of integ/ anew, without deploying',
    exec: `${runner} --update-on-failed --dry-run`,
    env: OFFLINE,
    receiveArgs: true,
  });
  project.testTask.spawn(integ);
}
