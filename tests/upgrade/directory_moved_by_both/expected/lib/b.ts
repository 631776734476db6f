let b = 11
let b = 12
let b = 13
let b = 14
let b = 15
let b = 16
// mine
