export function add(a: number, b: number) {
  return a + b;
}

export function twice(a) {
  return 2 * a;
}

export const name = "old";
