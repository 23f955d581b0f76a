import { inputOf, Rule, targetsOf } from './events';
import type { BusEvent, KeptFiles } from '../aws';

export interface EventRulesProps {
  readonly files: KeptFiles;
  /** Returns the rules of the stack. */
  readonly rules: () => readonly Rule[];
  readonly invoke: (functionArn: string, event: unknown) => Promise<unknown>;
}

/** The event rules of a stack: they call functions, and keep what other targets would receive. */
export class EventRules {
  private readonly delivering = new Set<Promise<void>>();

  constructor(private readonly props: EventRulesProps) {}

  /** Passes an event to the targets of the rules that match it, and waits for the functions among them. */
  async deliver(event: object, bus?: string): Promise<void> {
    const { files, rules, invoke } = this.props;
    const targets = targetsOf(rules(), event, bus);
    const isFunction = ({ Arn }: { readonly Arn: string }) => Arn.includes(':function:');
    const others = targets.filter((target) => !isFunction(target));
    others.forEach((target) => files.append(files.messages, { target: target.Arn, message: inputOf(target, event) }));
    await Promise.all(targets.filter(isFunction).map((target) => invoke(target.Arn, inputOf(target, event))));
  }

  /** Keeps an event that a bus has taken. EventBridge calls targets after it has answered; a target that fails does not concern the sender. */
  hear(event: BusEvent, bus: string): void {
    this.props.files.append(this.props.files.events, event);
    const delivery = this.deliver(event, bus).catch(() => undefined).then(() => void this.delivering.delete(delivery));
    this.delivering.add(delivery);
  }

  /** Waits until what events have called is done. */
  async settled(): Promise<void> {
    while (this.delivering.size > 0) await Promise.all(this.delivering);
  }
}
