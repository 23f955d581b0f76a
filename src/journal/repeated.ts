import { counted } from '../handler/counted';

/** Counts what is said again and again, so that it is told once. */
export class Repeated {
  private last?: string;
  private more = 0;

  /** Determines whether these words are new. Numbers in them may differ, such as those of processes and ports. */
  isNew(words: string): boolean {
    const same = words.replace(/\d+/g, '0');
    if (same !== this.last) {
      this.last = same;
      this.more = 0;
      return true;
    }
    this.more += 1;
    return false;
  }

  /** The number of repetitions, in words. */
  get again(): string | undefined {
    return this.more === 0 ? undefined : `… ${counted(this.more, 'more time')} in the same words`;
  }

  /** Ends it: returns what there is left to tell. */
  end(): string | undefined {
    const { again } = this;
    this.last = undefined;
    this.more = 0;
    return again;
  }
}
