#!/bin/sh
set -e
# create-app:begin env
<<<<<<< yours
A=mine
=======
A=2
>>>>>>> template 2.0.0
# create-app:end env
