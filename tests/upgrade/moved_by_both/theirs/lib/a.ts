theirs
two
three
four
five
six
