one
two
three
four
five
SIX
