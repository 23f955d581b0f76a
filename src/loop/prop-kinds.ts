import type { CodingLoopProps } from './coding-loop-props';

/** A prop that takes what the factories of a class return. The compiler refuses anything else, but plain JavaScript has none. */
interface Kind {
  /** A member that each value of the prop has, also one of another copy of this package. */
  readonly member: string;
  /** Code that returns such a value. */
  readonly example: string;
  readonly required?: true;
}

const GATE: Kind = { member: '_faults', example: "Gate.command('test', 'npm test')" };

const KINDS: { readonly [prop in keyof CodingLoopProps]?: Kind } = {
  runtime: { member: 'agentRuntimeArn', example: 'new AgentRuntime(…)', required: true },
  repository: { member: '_faults', example: "GitRepository.fromUrl('https://…')", required: true },
  turn: { member: '_faults', example: 'AgentTurn.invoke()' },
  verification: { member: '_faults', example: 'Verification.inFreshSession()' },
  protectedPaths: { member: '_faults', example: 'ProtectedPaths.of([…])' },
  commit: { member: '_faults', example: 'Commit.push()' },
  budget: { member: '_faults', example: 'RunBudget.of({ usd: 20 })' },
  brake: { member: '_bind', example: "new RunBrake(this, 'Brake')" },
  artifacts: { member: '_bind', example: 'RunArtifacts.inBucket()' },
  events: { member: '_bind', example: 'RunEvents.onDefaultBus()' },
};

/** Returns a fault for each prop of a loop whose value is of another kind. */
export function kindFaults(props: CodingLoopProps): string[] {
  const { gates = [] } = props as { readonly gates?: unknown };
  const all = Object.entries(KINDS).flatMap(([prop, kind]) => kindFault(`"${prop}"`, props[prop as keyof CodingLoopProps], kind));
  if (!Array.isArray(gates)) return [...all, `"gates" must be an array, such as [${GATE.example}], not ${kindOf(gates)}`];
  return [...all, ...gates.flatMap((gate: unknown, index) => kindFault(`"gates[${index}]"`, gate, { ...GATE, required: true }))];
}

function kindFault(prop: string, value: unknown, { member, example, required }: Kind): string[] {
  const isMissing = value === undefined;
  if (isMissing && !required) return [];
  if (typeof value === 'object' && value !== null && member in value) return [];
  return [`${prop} must be ${withArticle(/\w+(?=[.(])/.exec(example)![0])}, such as ${example}, not ${kindOf(value)}`];
}

/** Names the type of a value, but not the value, which may contain a secret. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  const name = typeof value === 'object' ? value.constructor?.name ?? 'Object' : typeof value;
  return name === 'Object' ? 'a plain object' : withArticle(name.replace(/\d$/, '')); // a compiler may number classes
}

/** Adds the article to the name of a class, unless it is a plural, such as `RunEvents`. */
function withArticle(name: string): string {
  return name.endsWith('s') ? name : `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`;
}
