export const new = "new";
