export const x = "x";
// mine
