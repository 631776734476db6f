ours
two
three
four
five
six
