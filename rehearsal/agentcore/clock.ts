/** The server's source of time. A test can replace it to let hours pass. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once; returns what cancels that. A promise that the callback returns is waited for by whoever moves the clock. */
  setTimeout(callback: () => void | Promise<void>, milliseconds: number): () => void;
}

interface Timer {
  readonly due: number;
  readonly fire: () => void | Promise<void>;
}

/** Runs with the real time, and can be moved on: everything that falls due on the way happens, in its order, before `advance` returns. */
export class MovableClock implements Clock {
  private offset = 0;
  private readonly timers = new Set<Timer>();

  now(): number {
    return Date.now() + this.offset;
  }

  setTimeout(callback: () => void | Promise<void>, milliseconds: number): () => void {
    const timer: Timer = {
      due: this.now() + milliseconds,
      fire: () => {
        clearTimeout(handle);
        if (this.timers.delete(timer)) {
          return callback();
        }
      },
    };
    // A failure has been reported to whoever waits for what the timer does; nobody waits for the timer itself.
    const handle = setTimeout(() => void Promise.resolve(timer.fire()).catch(() => undefined), milliseconds);
    handle.unref();
    this.timers.add(timer);
    return () => {
      clearTimeout(handle);
      this.timers.delete(timer);
    };
  }

  async advance(milliseconds: number): Promise<void> {
    const end = this.now() + milliseconds;
    for (let next = this.nextDue(end); next !== undefined; next = this.nextDue(end)) {
      this.offset += Math.max(0, next.due - this.now());
      await next.fire();
    }
    this.offset += Math.max(0, end - this.now());
  }

  private nextDue(end: number): Timer | undefined {
    return [...this.timers].filter(timer => timer.due <= end).sort((a, b) => a.due - b.due)[0];
  }
}
