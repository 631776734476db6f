<<<<<<< yours
ours
=======
theirs
>>>>>>> template 2.0.0
two
three
four
five
six
