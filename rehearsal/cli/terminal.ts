/** Where the story is written: in colour and with a last line that changes, if somebody watches. */
export class Terminal {
  private live?: { readonly text: () => string; readonly timer: NodeJS.Timeout };

  constructor(private readonly stream: NodeJS.WriteStream) {}

  get interactive(): boolean {
    return this.stream.isTTY === true && process.env.TERM !== 'dumb';
  }

  line(text = ''): void {
    this.settle();
    this.stream.write(`${text}\n`);
  }

  /** A last line that is drawn again and again, until the next line takes its place. */
  watch(text: () => string): void {
    this.settle();
    if (!this.interactive) return;
    const draw = () => this.stream.write(`\r\x1b[2K${cut(text(), this.stream.columns || 80)}`);
    draw();
    this.live = { text, timer: setInterval(draw, 100) };
  }

  settle(): void {
    if (!this.live) return;
    clearInterval(this.live.timer);
    this.live = undefined;
    this.stream.write('\r\x1b[2K');
  }

  readonly dim = (text: string) => this.paint('2', text);
  readonly bold = (text: string) => this.paint('1', text);
  readonly red = (text: string) => this.paint('31', text);
  readonly green = (text: string) => this.paint('32', text);

  private paint(code: string, text: string): string {
    return this.interactive && process.env.NO_COLOR === undefined ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}

/** Without escape sequences, and no wider than the terminal: a line that wraps could not be drawn over. */
function cut(text: string, columns: number): string {
  // eslint-disable-next-line no-control-regex -- the escape sequences of colours
  const plain = text.replace(/\x1b\[\d+m/g, '');
  return plain.length < columns ? text : plain.slice(0, columns - 1);
}
