/** Milliseconds between two lines of something that takes long, where nobody can watch it. */
const EVERY = 30_000;

/** The output of the story: with colors and updated last lines on a terminal. */
export class Terminal {
  private live?: NodeJS.Timeout;
  /** Lines on the screen that the next drawing replaces. */
  private drawn = 0;

  /** @param every milliseconds between two lines about what takes long, on what is no terminal */
  constructor(private readonly stream: NodeJS.WriteStream, private readonly every = EVERY) {}

  get interactive(): boolean {
    return this.stream.isTTY === true && process.env.TERM !== 'dumb';
  }

  line(text = ''): void {
    this.settle();
    this.stream.write(`${text}\n`);
  }

  /**
   * Draws lines again and again until the next line replaces them. If the stream is not a terminal, it gets the first of them from time to time.
   */
  watch(text: () => readonly string[]): void {
    this.settle();
    if (!this.interactive) {
      this.live = setInterval(() => this.stream.write(`${text()[0]}\n`), this.every).unref();
      return;
    }
    const draw = () => {
      const { columns = 80, rows = 24 } = this.stream;
      const lines = text().slice(0, Math.max(1, rows - 2)).map((line) => cut(line, columns || 80));
      this.stream.write(`${this.erasing()}${lines.join('\n')}`);
      this.drawn = lines.length;
    };
    draw();
    this.live = setInterval(draw, 100).unref();
  }

  /** Says what is waited for: where somebody watches, until the next line; elsewhere at once, and then now and then. */
  waits(text: string): void {
    if (!this.interactive) this.line(text);
    this.watch(() => [text]);
  }

  settle(): void {
    clearInterval(this.live);
    this.live = undefined;
    if (this.drawn > 0) this.stream.write(this.erasing());
    this.drawn = 0;
  }

  private erasing(): string {
    return `${this.drawn > 1 ? `\r\x1b[${this.drawn - 1}A\x1b[J` : ''}\r\x1b[2K`;
  }

  readonly dim = (text: string) => this.paint('2', text);
  readonly bold = (text: string) => this.paint('1', text);
  readonly red = (text: string) => this.paint('31', text);
  readonly green = (text: string) => this.paint('32', text);

  private paint(code: string, text: string): string {
    return this.interactive && process.env.NO_COLOR === undefined ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}

/** Shortens a line to the terminal's width, escape sequences apart: a line that wraps could not be drawn over. */
function cut(text: string, columns: number): string {
  // eslint-disable-next-line no-control-regex -- the escape sequences of colours
  const plain = text.replace(/\x1b\[\d+m/g, '');
  return plain.length < columns ? text : plain.slice(0, columns - 1);
}
