ONE
two
three
four
five
SIX
