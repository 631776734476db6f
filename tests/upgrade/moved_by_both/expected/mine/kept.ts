<<<<<<< yours
rewritten
=======
k
k2
>>>>>>> template 2.0.0
