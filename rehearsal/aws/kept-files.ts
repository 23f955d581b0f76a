import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The files that the services other than AgentCore leave. They stay from one rehearsal to the next, as what is in an account does. */
export class KeptFiles {
  /** Returns the lines of a file from a byte on. */
  static linesOf<T>(file: string, from = 0): T[] {
    if (!existsSync(file)) return [];
    return readFileSync(file).subarray(from).toString('utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as T);
  }

  constructor(readonly directory: string) {}

  /** The events that were sent to buses, one JSON object in each line. */
  get events(): string {
    return join(this.directory, 'events.jsonl');
  }

  /** The inputs of targets of event rules that are not functions, such as the messages to SNS topics. */
  get messages(): string {
    return join(this.directory, 'messages.jsonl');
  }

  /** The metrics that functions wrote into their logs in the embedded metric format. */
  get metrics(): string {
    return join(this.directory, 'metrics.jsonl');
  }

  /** The directory of objects: `<bucket>/<key>`. */
  get artifacts(): string {
    return join(this.directory, 'artifacts');
  }

  /** The parameters that were written. */
  get parameters(): string {
    return join(this.directory, 'parameters.json');
  }

  /** Keeps the metrics of a line of a function's log. */
  hearLog(line: string): void {
    if (!line.includes('"CloudWatchMetrics"')) return;
    try {
      this.append(this.metrics, JSON.parse(line.slice(line.indexOf('{'))));
    } catch {
      // It is no line of metrics.
    }
  }

  append(file: string, value: unknown): void {
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, `${JSON.stringify(value)}\n`);
  }
}
