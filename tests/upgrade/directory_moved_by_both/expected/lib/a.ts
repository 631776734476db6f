const a = 1
const a = 2
const a = 3
const a = 4
const a = 5
const a = 6
