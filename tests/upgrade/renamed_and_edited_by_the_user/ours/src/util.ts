export function add(a: number, b: number) {
  return a + b;
}

export function twice(a) {
  return add(a, a);
}

export const name = "util";
