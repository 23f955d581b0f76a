import { CfnOutput, CustomResource, Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { ATTRIBUTES } from './handler/constants';

const WHY = 'CloudFormation refuses to change what one stack exports while another imports it, and each version changes it';

/** A fault if the runtime is in another stack: its version would be an export. Nested stacks hand values over by parameters. */
export function stackFaults(scope: IConstruct, runtime: IConstruct): string[] {
  const [own, other] = [scope, runtime].map((construct) => outermostStackOf(construct));
  if (own === other) return [];
  return [`"runtime" is in stack "${other.node.path}", the rollout in "${own.node.path}", one stack is needed, since ${WHY}: create the rollout in the runtime's stack`];
}

/** Faults for attributes of the rollout that other stacks refer to, which is known once all references are resolved. */
export function exportFaults(scope: IConstruct, resource: CustomResource): string[] {
  const stack = Stack.of(scope);
  const outputs = stack.node.tryFindChild('Exports')?.node.findAll().filter((child): child is CfnOutput => child instanceof CfnOutput) ?? [];
  const exported = outputs.map(({ value }) => JSON.stringify(stack.resolve(value)));
  const attributes = { endpoint: ATTRIBUTES.ENDPOINT_NAME, version: ATTRIBUTES.VERSION };
  return Object.entries(attributes)
    .filter(([, attribute]) => exported.includes(JSON.stringify(stack.resolve(resource.getAtt(attribute)))))
    .map(([prop]) => `"${prop}" is used in another stack, one stack is needed, since ${WHY}: `
      + 'use it in the rollout\'s stack, or put it into an SSM parameter there that is read at run time');
}

function outermostStackOf(construct: IConstruct): Stack {
  let stack = Stack.of(construct);
  while (stack.nestedStackParent !== undefined) stack = stack.nestedStackParent;
  return stack;
}
