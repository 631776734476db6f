export const a = "a";
// new
