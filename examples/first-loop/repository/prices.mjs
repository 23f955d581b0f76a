/** What a basket costs, in cents: three of an item for the price of two, and a tenth off from 100 euros on. */
export function total(items) {
  let sum = 0;
  for (let index = 1; index < items.length; index++) {
    const { price, quantity } = items[index];
    sum += price * (quantity - Math.floor(quantity / 3));
  }
  return sum > 10_000 ? Math.round(sum * 0.9) : sum;
}
