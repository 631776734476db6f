export const b = "b";
// mine
