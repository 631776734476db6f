ONE
two
three
four
five
six
