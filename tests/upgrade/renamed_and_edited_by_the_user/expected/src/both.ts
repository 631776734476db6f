<<<<<<< yours
export function add(a: number, b: number) {
=======
export function add(a, b = 0) {
>>>>>>> template 2.0.0
  return a + b;
}

export function twice(a) {
  return add(a, a);
}

export const name = "both";
