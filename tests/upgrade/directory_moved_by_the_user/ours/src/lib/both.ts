export const mine = "mine";
