export const theirs = "theirs";
