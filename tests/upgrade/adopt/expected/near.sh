#!/bin/sh
set -e
<<<<<<< yours
echo mine
=======
echo theirs
>>>>>>> template 2.0.0
