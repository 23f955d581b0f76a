/** The command line asks for something that cannot be done; the message says what to change. */
export class MisuseError extends Error {
  readonly name = 'MisuseError';
}

/** Everything that is wrong with what was asked for, to be said at once. */
export class Faults {
  private readonly all: string[] = [];

  add(...faults: readonly string[]): void {
    this.all.push(...faults.filter((fault) => !this.all.includes(fault)));
  }

  /** Fails with all of them, if there are any. */
  throwIfAny(): void {
    if (this.all.length === 0) return;
    const list = this.all.map((fault) => `  - ${fault.split('\n').join('\n    ')}`);
    throw new MisuseError(this.all.length === 1 ? this.all[0] : [`${this.all.length} things are wrong:`, ...list].join('\n'));
  }
}
