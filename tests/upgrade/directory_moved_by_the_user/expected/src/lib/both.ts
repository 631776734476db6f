<<<<<<< yours
export const mine = "mine";
=======
export const theirs = "theirs";
>>>>>>> template 2.0.0
