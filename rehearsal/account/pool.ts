/** Requests that are under way at the same time: enough for hundreds of runs, and few for the quotas of an account. */
const AT_ONCE = 8;

/** Does something for each item, for some at the same time. Returns the results in the order of the items. */
export async function forEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>, atOnce = AT_ONCE): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}
