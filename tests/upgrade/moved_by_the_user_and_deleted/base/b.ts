one
two
three
four
five
six
b1
b2
