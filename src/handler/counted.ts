/** Formats a number with its noun: `1 turn`, `2 turns`, `1,000 turns`. */
export function counted(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}
