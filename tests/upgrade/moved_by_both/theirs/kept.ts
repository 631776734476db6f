k
k2
